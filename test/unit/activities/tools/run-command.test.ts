import { chmodSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../../../../src/activities/tools/find-program';
import { OutputCollector } from '../../../../src/activities/tools/output-collector';
import { showOutput } from '../../../../src/activities/tools/run-command';
import { marksOf } from '../../../../src/client/process-mark';
import { callTool, makeDeps, makeTempDirs, TICKET } from '../../../support/tool-deps';

const makeTempDir = makeTempDirs();

describe('run_command', () => {
  it('runs an allowed command and reports its exit code', async () => {
    const result = await callTool(makeDeps(makeTempDir()), 'run_command', { argv: ['cat', '/proc/meminfo'] });
    expect(result).toMatchObject({ isError: false, data: { exitCode: 0, timedOut: false, file: null } });
    expect(result.content).toMatch(/^Exit code 0 after .*:\nMemTotal:/);
  });

  it('a command gets PATH, HOME, LANG, TERM and the marks of this run, and nothing else of our environment', async () => {
    const bin = makeTempDir();
    writeFileSync(join(bin, 'df'), '#!/bin/sh\nexec /usr/bin/env\n');
    chmodSync(join(bin, 'df'), 0o755);
    const marks = marksOf({
      HARNESS_RUN_ID: 'run-1',
      HARNESS_SERVICE: 'agent',
      HARNESS_TOKEN: 'no',
      ANTHROPIC_API_KEY: 'no',
    });
    const deps = makeDeps(makeTempDir(), { commands: { directories: [bin], marks } });
    const result = await callTool(deps, 'run_command', { argv: ['df', '-h'] });
    const [, ...variables] = result.content.trim().split('\n');
    const ofShell = ['PWD', 'OLDPWD', 'SHLVL', '_'];
    const passed = variables.filter((line) => !ofShell.includes(line.split('=')[0] ?? '')).sort();
    expect(passed).toEqual([
      'HARNESS_RUN_ID=run-1',
      'HARNESS_SERVICE=agent',
      expect.stringMatching(/^HOME=.*harness-run-/),
      'LANG=C.UTF-8',
      `PATH=${bin}`,
      'TERM=dumb',
    ]);
  });

  it('no supervisor started us: there are no marks to hand on', () => {
    expect(marksOf({ PATH: '/bin', HARNESS_TOKEN: 'no' })).toEqual({});
  });

  it.each([
    [['cat', '/proc/1/environ']],
    [['sh', '-c', 'echo owned']],
    [['/usr/bin/cat', '/proc/meminfo']],
    [['cat', '/proc/meminfo', '/etc/passwd']],
  ])('%j is refused by the activity itself, whatever the workflow decided', async (argv) => {
    const result = await callTool(makeDeps(makeTempDir()), 'run_command', { argv });
    expect(result).toMatchObject({ isError: true, data: { outcome: 'refused' } });
    expect(result.content).toMatch(/^Refused: .*[Aa]llowed/);
  });
});

describe('findProgram', () => {
  const root = makeTempDir();
  const bin = join(root, 'bin');
  const evil = join(root, 'evil');
  for (const directory of [bin, evil]) mkdirSync(directory);
  for (const path of [join(bin, 'tool'), join(evil, 'payload')]) {
    writeFileSync(path, '#!/bin/sh\n');
    chmodSync(path, 0o755);
  }
  writeFileSync(join(bin, 'data'), 'not executable', { mode: 0o644 });
  mkdirSync(join(bin, 'directory'));
  symlinkSync(join(bin, 'tool'), join(bin, 'alias'));
  symlinkSync(join(evil, 'payload'), join(bin, 'trap'));

  it.each([
    ['tool', join(bin, 'tool')],
    ['alias', join(bin, 'tool')],
    ['trap', null],
    ['data', null],
    ['directory', null],
    ['missing', null],
    ['../evil/payload', null],
    ['..', null],
    ['', null],
  ])('%j is found as %s', async (name, expected) => {
    expect(await findProgram(name, [bin])).toBe(expected);
  });

  it('positive control: with its own directory trusted the payload is found', async () => {
    expect(await findProgram('payload', [evil])).toBe(join(evil, 'payload'));
  });
});

describe('showOutput', () => {
  const scope = {
    ticket: TICKET,
    call: { id: '../../escape', name: 'run_command', input: {} },
    signal: new AbortController().signal,
    operationId: 'w/r/1',
    person: null,
    recheck: false,
  };
  const collect = (...chunks: string[]): OutputCollector => {
    const output = new OutputCollector();
    for (const chunk of chunks) output.add(Buffer.from(chunk));
    return output;
  };

  it('small output is shown whole and kept nowhere', async () => {
    expect(await showOutput(makeDeps(makeTempDir()), scope, collect('a', 'b'))).toEqual({
      text: 'ab',
      file: null,
    });
    expect((await showOutput(makeDeps(makeTempDir()), scope, collect())).text).toBe('(no output)');
  });

  it('large output: both ends, its size, and a masked copy with mode 0600 inside the data directory', async () => {
    const dataDir = makeTempDir();
    const output = collect('FIRST', 'x'.repeat(100_000), 'swordfish-0001', 'y'.repeat(10_000), 'LAST');
    const { text, file } = await showOutput(makeDeps(dataDir), scope, output);
    expect(text).toMatch(/^FIRST/);
    expect(text).toMatch(/LAST$/);
    expect(text).toContain('of 110023 bytes left out');
    expect(Buffer.byteLength(text)).toBeLessThan(16 * 1024);
    expect(file).toMatch(/^outputs\/[0-9a-f]{24}\.txt$/);
    const full = join(dataDir, file ?? '');
    expect(readFileSync(full, 'utf8')).toContain('[redacted:TEST_SECRET]');
    expect(statSync(full).mode & 0o777).toBe(0o600);
  });

  it('a secret cut by the bounds of the collector is not shown in parts', async () => {
    // 12 KiB is where the shown head was collected from, 10 KiB before the end the shown tail.
    const before = 'x'.repeat(12 * 1024 - 7);
    const after = 'y'.repeat(10 * 1024 - 7);
    const output = collect(before, 'swordfish-0001', 'z'.repeat(50_000), 'swordfish-0001', after);
    const { text } = await showOutput(makeDeps(makeTempDir()), scope, output);
    expect(text).not.toContain('swordfi');
    expect(text).not.toContain('sh-0001');
  });
});
