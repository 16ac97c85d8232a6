import type { Colors } from 'picocolors/types';
import type { Cell } from './table';

const GOOD = ['up', 'ok', 'running', 'completed', 'fixed', 'self_recovered'];
const BAD = ['down', 'failed', 'exited', 'fail'];

/** The same word has the same colour everywhere. */
export function stateCell(state: string, colors: Colors): Cell {
  if (GOOD.includes(state)) return { text: state, paint: colors.green };
  if (BAD.includes(state)) return { text: state, paint: colors.red };
  return { text: state, paint: colors.yellow };
}
