import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunRequest } from '../../../../src/activities/tools/run-process';
import { runProcess } from '../../../../src/activities/tools/run-process';
import { makeTempDirs } from '../../../support/tool-deps';
import { waitFor } from '../../../support/wait-for';

const makeTempDir = makeTempDirs();
const NEVER = new AbortController().signal;

function run(script: string, change: Partial<RunRequest> = {}) {
  return runProcess({
    file: '/bin/sh',
    argv: ['sh', '-c', script],
    cwd: tmpdir(),
    env: { PATH: '/usr/bin:/bin' },
    timeoutMs: 5_000,
    graceMs: 200,
    signal: NEVER,
    ...change,
  });
}

/** A zombie has ended; only its parent has not looked yet. */
function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return !/\) [ZX] /.test(stat);
  } catch {
    return false;
  }
}

describe('runProcess', () => {
  it('returns exit code and output of both streams', async () => {
    const result = await run('echo out; echo err >&2; exit 3');
    expect(result).toMatchObject({ exitCode: 3, exitSignal: null, timedOut: false });
    expect(result.output.head().split('\n').sort()).toEqual(['', 'err', 'out']);
  });

  it('stdin is closed and the environment is only what was given', async () => {
    const result = await run('cat; env', { env: { PATH: '/usr/bin:/bin', ONLY: 'this' } });
    const names = result.output
      .head()
      .trim()
      .split('\n')
      .map((line) => line.split('=')[0] ?? '');
    expect(names).toContain('ONLY');
    expect(names.filter((name) => !['ONLY', 'PATH', 'PWD', 'OLDPWD', 'SHLVL', '_'].includes(name))).toEqual(
      [],
    );
  });

  it('argv words are not interpreted: no shell stands in between', async () => {
    const result = await run('', { file: '/bin/echo', argv: ['echo', '$(id)', ';', '*'] });
    expect(result.output.head()).toBe('$(id) ; *\n');
  });

  it('a program that cannot be started rejects with its reason', async () => {
    await expect(run('', { file: '/nonexistent', argv: ['x'] })).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('timeout: the program gets SIGTERM, and its output so far is kept', async () => {
    const result = await run('echo before; sleep 60', { timeoutMs: 200 });
    expect(result).toMatchObject({ exitCode: null, exitSignal: 'SIGTERM', timedOut: true });
    expect(result.output.head()).toBe('before\n');
  });

  it('timeout with SIGTERM ignored: SIGKILL after the grace, for grandchildren too', async () => {
    const script = `trap '' TERM; (trap '' TERM; echo $$; sh -c 'echo $PPID'; sleep 60) & wait`;
    const startedAt = performance.now();
    const result = await run(script, { timeoutMs: 300 });
    expect(result).toMatchObject({ exitSignal: 'SIGKILL', timedOut: true });
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    const pids = result.output.head().trim().split('\n').map(Number);
    expect(pids).toHaveLength(2);
    await waitFor('all are gone', () => Promise.resolve(!pids.some(isAlive)), { limitMs: 2_000 });
  });

  it('abort: rejects with the reason after parent and grandchild have ended', async () => {
    const stop = new AbortController();
    const reason = new Error('ticket cancelled');
    const file = join(makeTempDir(), 'pids');
    const running = run(`sleep 60 & echo $! $$ > ${file}; wait`, { signal: stop.signal });
    const pids = await waitFor('the pids', () => {
      const text = readFileSync(file, 'utf8').trim();
      return Promise.resolve(text === '' ? null : text.split(' ').map(Number));
    });
    // Positive control: both do run.
    expect(pids.map(isAlive)).toEqual([true, true]);
    stop.abort(reason);
    await expect(running).rejects.toBe(reason);
    await waitFor('both are gone', () => Promise.resolve(!pids.some(isAlive)), { limitMs: 2_000 });
  });

  it('a grandchild left in the background does not outlive the program, and nobody waits for it', async () => {
    const startedAt = performance.now();
    const result = await run('sleep 60 & echo $!');
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    const pid = Number(result.output.head());
    await waitFor('it is gone', () => Promise.resolve(!isAlive(pid)), { limitMs: 2_000 });
  });

  it('a signal that has fired already starts nothing', async () => {
    await expect(run('echo x', { signal: AbortSignal.abort(new Error('too late')) })).rejects.toThrow(
      'too late',
    );
  });

  it('output of any size is taken in bounded memory, with its real size', async () => {
    const result = await run('head -c 5000000 /dev/zero | tr "\\\\0" a; echo END');
    expect(result.output.bytes).toBe(5_000_004);
    expect(result.output.head().length).toBe(1024 * 1024);
    expect(result.output.tail().length).toBe(24 * 1024);
    expect(result.output.tail(4)).toBe('END\n');
  });
});
