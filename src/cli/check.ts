import { stripInvisible } from '../domain/untrusted-text';
import type { CliContext } from './context';
import { printJson } from './context';
import { EXIT } from './exit-codes';
import { checkWire, parseAnswer } from './wire';

/** A check waits for a worker and for confirmation probes. */
const TIMEOUT_MS = 30_000;

/** Probes one invariant now. Exit 3 when it does not hold. */
export async function check(context: CliContext, id: string, input: { json?: boolean }): Promise<number> {
  const path = `/api/v1/invariants/${encodeURIComponent(id)}/check`;
  const { body } = await context.web().request(path, { method: 'POST', timeoutMs: TIMEOUT_MS });
  const result = parseAnswer(checkWire, body, path);
  if (input.json) {
    printJson(context, body);
  } else {
    const { colors } = context;
    const verdict = result.ok ? colors.green('holds') : colors.red('does not hold');
    const values = Object.entries(result.resolved).map(
      ([name, value]) => `${name} = ${JSON.stringify(value)}`,
    );
    const lines = [
      `${id} ${verdict} (${Math.round(result.latency_ms)} ms)`,
      ...(result.error === null ? [] : [result.error]),
      ...values,
    ];
    context.out.write(`${lines.map(stripInvisibleKeepColors).join('\n  ')}\n`);
  }
  return result.ok ? EXIT.ok : EXIT.unhealthy;
}

/** The first line is ours and may be coloured; the others quote the service. */
function stripInvisibleKeepColors(line: string, index: number): string {
  return index === 0 ? line : stripInvisible(line);
}
