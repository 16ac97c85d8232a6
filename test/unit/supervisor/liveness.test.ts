import { untilSilent } from '../../../src/supervisor/liveness';
import type { Liveness } from '../../../src/supervisor/liveness';

/** A process that has not ended, and its end. */
function living() {
  let end = (): void => undefined;
  const process: Parameters<typeof untilSilent>[0] & {
    exit: { code: number; signal: null; at: string } | null;
  } = {
    exit: null,
    exited: new Promise((resolve) => {
      end = () => {
        process.exit = { code: 0, signal: null, at: '2026-01-01T00:00:00.000Z' };
        resolve(process.exit);
      };
    }),
  };
  return { process, end: () => end() };
}

const QUICK: Omit<Liveness, 'probe'> = { everyMs: 10, timeoutMs: 50, silentMs: 150 };
const never = (): Promise<never> => new Promise(() => undefined);
const block = (ms: number): void => {
  for (const end = performance.now() + ms; performance.now() < end;);
};

it.each([
  ['hangs', never],
  ['refuses', () => Promise.reject(new Error('connection refused'))],
])('a probe that %s: silent, but not before the limit and three probes', async (_what, answer) => {
  let asked = 0;
  const probe = (): Promise<unknown> => {
    asked += 1;
    return answer();
  };
  const startedAt = performance.now();
  const silence = await untilSilent(living().process, { ...QUICK, probe });
  expect(silence).toBeGreaterThanOrEqual(150);
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(150);
  expect(asked).toBeGreaterThanOrEqual(3);
});

it('one answer in between begins the silence anew', async () => {
  const { process, end } = living();
  let asked = 0;
  const probe = (): Promise<unknown> => {
    asked += 1;
    if (asked === 20) end();
    return asked % 3 === 0 ? Promise.resolve() : never();
  };
  expect(await untilSilent(process, { ...QUICK, silentMs: 20, probe })).toBeNull();
  expect(asked).toBe(20);
});

it('a process that ends is not silent', async () => {
  const { process, end } = living();
  setTimeout(end, 60);
  expect(await untilSilent(process, { ...QUICK, probe: never })).toBeNull();
});

it('what was missed while our own event loop stood still does not count', async () => {
  const { process, end } = living();
  let asked = 0;
  const probe = (): Promise<unknown> => {
    asked += 1;
    if (asked === 4) end();
    else setTimeout(() => block(1_300), 10);
    return never();
  };
  expect(await untilSilent(process, { everyMs: 10, timeoutMs: 50, silentMs: 100, probe })).toBeNull();
  expect(asked).toBe(4);
});
