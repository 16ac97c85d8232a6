import { isNativeError } from 'node:util/types';

/** The contract with scripts. 130 and 143 mean: ended by SIGINT, SIGTERM. */
export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  unhealthy: 3,
  notFound: 4,
  unreachable: 69,
  timedOut: 75,
  denied: 77,
  badConfig: 78,
} as const;

/** A failure whose exit code the command itself decides; the message is all that is shown. */
export class CliError extends Error {
  override readonly name = 'CliError';
  constructor(
    message: string,
    readonly exitCode: number,
  ) {
    super(message);
  }
}

/** By name: importing every class here would load every module at every start. */
const BY_NAME: Readonly<Record<string, number>> = {
  ConfigError: EXIT.badConfig,
  WebUnreachable: EXIT.unreachable,
  WebTimeout: EXIT.timedOut,
  ControlUnreachable: EXIT.unreachable,
  TemporalUnreachable: EXIT.unreachable,
  TemporalCliMissing: EXIT.unreachable,
};

const BY_STATUS: Readonly<Record<number, number>> = {
  400: EXIT.usage,
  401: EXIT.denied,
  403: EXIT.denied,
  404: EXIT.notFound,
  422: EXIT.usage,
  503: EXIT.unreachable,
  504: EXIT.timedOut,
};

export function exitCodeOf(error: unknown): number {
  if (!isNativeError(error)) return EXIT.failure;
  if (error instanceof CliError) return error.exitCode;
  if ('status' in error && typeof error.status === 'number') return BY_STATUS[error.status] ?? EXIT.failure;
  return BY_NAME[error.name] ?? EXIT.failure;
}

const BUGS = ['TypeError', 'RangeError', 'ReferenceError', 'SyntaxError', 'AssertionError'];

/** An error that nobody wrote for people: its stack is worth showing. */
export function isBug(error: unknown): boolean {
  return !isNativeError(error) || BUGS.includes(error.name);
}
