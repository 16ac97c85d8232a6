import type { WebAnswer, WebClient, WebRequest } from '../../../src/client/web-client';
import type { CliContext } from '../../../src/cli/context';
import { colorsFor } from '../../../src/cli/context';
import { runCli } from '../../../src/cli/run-cli';
import { loadConfig } from '../../../src/config/load-config';
import type { Environment } from '../../../src/config/environment';
import type { Control } from '../../../src/domain/service-state';

/** `METHOD path?query` → the answer, or the error to throw. */
export type Answers = Readonly<Record<string, unknown>>;

export interface FakeWeb extends WebClient {
  readonly bodies: Record<string, unknown>;
}

/** A web process that knows the scripted calls only; any other one fails the test. */
export function fakeWeb(answers: Answers): FakeWeb {
  const bodies: Record<string, unknown> = {};
  return {
    bodies,
    request(path, { method = 'GET', query = {}, body }: WebRequest = {}): Promise<WebAnswer> {
      const set = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
      const search = set.length === 0 ? '' : `?${new URLSearchParams(set).toString()}`;
      const call = `${method} ${path}${search}`;
      if (!(call in answers)) throw new Error(`unexpected call: ${call}`);
      const answer = answers[call];
      bodies[call] = body;
      if (answer instanceof Error) return Promise.reject(answer);
      const isWhole = typeof answer === 'object' && answer !== null && 'status' in answer && 'body' in answer;
      return Promise.resolve(isWhole ? (answer as WebAnswer) : { status: 200, body: answer });
    },
  };
}

export const noControl: Control = {
  snapshot: () => Promise.reject(Object.assign(new Error('no supervisor'), { name: 'ControlUnreachable' })),
  act: () => Promise.reject(Object.assign(new Error('no supervisor'), { name: 'ControlUnreachable' })),
};

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `harness <words>` in this process. */
export async function runWords(
  words: readonly string[],
  parts: {
    readonly web?: WebClient;
    readonly control?: Control;
    readonly env?: Environment;
    readonly isTTY?: boolean;
    readonly now?: string;
    readonly cwd?: string;
  } = {},
): Promise<Ran> {
  let out = '';
  let err = '';
  const env = parts.env ?? {};
  const streams = {
    out: { write: (text: string) => (out += text), isTTY: parts.isTTY === true },
    err: { write: (text: string) => (err += text) },
  };
  const code = await runCli(words, streams, (flags, given): CliContext => ({
    ...given,
    env,
    colors: colorsFor(env, given.out.isTTY === true),
    now: () => Date.parse(parts.now ?? '2026-01-01T00:01:00.000Z'),
    config: () =>
      loadConfig({
        env,
        ...(parts.cwd === undefined ? {} : { cwd: parts.cwd }),
        ...(flags.config === undefined ? {} : { file: flags.config }),
        ...(flags.dataDir === undefined ? {} : { flags: { dataDir: flags.dataDir } }),
      }),
    web: () => parts.web ?? fakeWeb({}),
    control: () => parts.control ?? noControl,
  }));
  return { code, out, err };
}
