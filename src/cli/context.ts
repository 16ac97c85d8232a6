import { createColors } from 'picocolors';
import type { Colors } from 'picocolors/types';
import type { Control } from '../domain/service-state';
import type { WebClient } from '../client/web-client';
import type { HarnessConfig } from '../config/config';
import type { Environment } from '../config/environment';

/** Data goes to `out`, talk to `err`. */
export interface Streams {
  readonly out: { write(text: string): unknown; readonly isTTY?: boolean };
  readonly err: { write(text: string): unknown; readonly isTTY?: boolean };
}

/** What a command gets from the executable; tests give their own. */
export interface CliContext extends Streams {
  readonly env: Environment;
  readonly colors: Colors;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** The effective configuration, `--config` and the other global flags included. Throws ConfigError. */
  readonly config: () => HarnessConfig;
  /** REST client of the running harness. */
  readonly web: () => WebClient;
  /** Control socket of the running supervisor. */
  readonly control: () => Control;
}

export interface GlobalFlags {
  readonly config?: string;
  readonly dataDir?: string;
  readonly port?: string;
  readonly logLevel?: string;
}

/** Colours only for a person: NO_COLOR wins, FORCE_COLOR is for pagers, a pipe gets none. */
export function colorsFor(env: Environment, isTTY: boolean): Colors {
  if ((env['NO_COLOR'] ?? '') !== '') return createColors(false);
  if ((env['FORCE_COLOR'] ?? '') !== '') return createColors(true);
  return createColors(isTTY && env['TERM'] !== 'dumb');
}

export function printJson(context: Pick<CliContext, 'out'>, value: unknown): void {
  context.out.write(`${JSON.stringify(value, null, 2)}\n`);
}
