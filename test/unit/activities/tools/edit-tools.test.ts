import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { openEditJournal } from '../../../../src/activities/edit-journal-file';
import { createEditConfinements, readEditableFiles, sha256 } from '../../../../src/activities/editable-files';
import { keepSnapshot, toSnapshot } from '../../../../src/activities/known-good-store';
import { paths } from '../../../../src/config/paths';
import type { EditEntry } from '../../../../src/domain/edit-journal';
import { undosByPerson } from '../../../../src/domain/edit-journal';
import { parseUndoReport } from '../../../../src/domain/undo-report';
import { createToolActivities } from '../../../../src/activities/tools';
import type { ToolName } from '../../../../src/domain/tool';
import { callTool, makeDeps, makeService, makeTempDirs, TICKET } from '../../../support/tool-deps';

const makeTempDir = makeTempDirs();
const GOOD = '{\n  "a": 1,\n  "b": 2\n}\n';
const ANA = { by: 'ana', reason: 'we want it' };
const BAD = '{\n  "a": 1,\n  "b": 3\n}\n';

const NOT_AT_WORK = () => Promise.resolve(false);

/** A service with config.json, known to be good, in a folder of its own. */
async function setUp(edit: string[] = ['config.json']) {
  const root = makeTempDir();
  const cwd = join(root, 'app');
  mkdirSync(cwd);
  const file = join(cwd, 'config.json');
  writeFileSync(file, GOOD, { mode: 0o640 });
  const service = makeService(cwd, { files: { read: [], edit: edit.map((path) => join(cwd, path)) } });
  const deps = { ...makeDeps(join(root, 'data'), { services: [service] }), isAtWork: NOT_AT_WORK };
  const files = await readEditableFiles(
    createEditConfinements([service]).get('limiter'),
    new AbortController().signal,
  );
  if (!files) throw new Error('too many files');
  await keepSnapshot(
    deps.dataDir,
    'limiter',
    toSnapshot('2026-01-01T00:00:00.000Z', service.files.edit, files),
  );
  let calls = 0;
  const callAs = (activityId: string, name: ToolName, input = {}, ticketId = 'T1') =>
    callTool(deps, name, input, {
      ticket: { ...TICKET, ticketId },
      environment: new MockActivityEnvironment({ activityId }),
    });
  const call = (name: ToolName, input = {}, ticketId = 'T1') =>
    callAs(`${(calls += 1)}`, name, input, ticketId);
  /** Every call of this is another try of one and the same. */
  const tryAgain = (name: ToolName, input = {}) => callAs('same', name, input);
  /** Every call of this is another try of the same order of a person. */
  const undoForAna = () =>
    callTool(
      deps,
      'undo_edits',
      {},
      { environment: new MockActivityEnvironment({ activityId: 'ana' }), person: ANA },
    );
  const journal = openEditJournal(deps.dataDir, 'limiter');
  return {
    root,
    cwd,
    file,
    deps,
    call,
    tryAgain,
    undoForAna,
    journal,
    read: () => readFileSync(file, 'utf8'),
  };
}

describe('what_changed', () => {
  it('shows the difference to the last good content, secrets masked', async () => {
    const { file, call } = await setUp();
    writeFileSync(file, BAD.replace('3', '3,\n  "password": "hunter2hunter2"'));
    const result = await call('what_changed', { service: 'limiter' });
    expect(result.content).toContain('-  "b": 2\n+  "b": 3,\n+  "password": "[redacted:secret]"');
    expect(result.data).toMatchObject({
      since: '2026-01-01T00:00:00.000Z',
      changed: [{ path: file, change: 'modified' }],
    });
  });
  it('nothing changed, and nothing known', async () => {
    const { call, deps } = await setUp();
    expect((await call('what_changed', { service: 'limiter' })).content).toContain('Nothing changed');
    rmSync(join(deps.dataDir, 'known-good'), { recursive: true });
    expect((await call('what_changed', { service: 'limiter' })).content).toContain('no known-good copy');
  });
  it('inspect_service names changed files', async () => {
    const { file, call } = await setUp();
    rmSync(file);
    const { data, content } = await call('inspect_service', { service: 'limiter' });
    expect(data).toMatchObject({ changed: [{ path: file, change: 'removed', sha256: null }] });
    expect(content).toContain('removed since it last worked');
  });
  it('a copy that a crash or a disk damaged is passed over for the one before', async () => {
    const { call, deps, file } = await setUp();
    writeFileSync(join(deps.dataDir, 'known-good', 'limiter', '00000002.json'), '{"version": 1, "at"');
    writeFileSync(file, BAD);
    expect((await call('restore_file', { path: 'config.json' })).data).toMatchObject({
      outcome: 'performed',
    });
  });
});

it('a folder that became a link after the start: nothing behind it is shown, compared or written', async () => {
  const { root, cwd, deps } = await setUp();
  const tools = createToolActivities(deps);
  rmSync(cwd, { recursive: true });
  mkdirSync(join(root, 'elsewhere'));
  writeFileSync(join(root, 'elsewhere', 'config.json'), 'TOP SECRET');
  symlinkSync(join(root, 'elsewhere'), cwd);
  // Positive control: without the check the path does lead there.
  expect(readFileSync(join(cwd, 'config.json'), 'utf8')).toBe('TOP SECRET');
  const calls: [ToolName, { [key: string]: string }][] = [
    ['what_changed', { service: 'limiter' }],
    ['restore_file', { path: 'config.json' }],
    ['edit_file', { path: 'config.json', old: 'TOP', new: 'x' }],
  ];
  for (const [name, input] of calls) {
    const call = { id: 'c', name, input };
    const result = await new MockActivityEnvironment().run(tools[name], { ticket: TICKET, call });
    expect(JSON.stringify(result)).not.toContain('SECRET');
  }
  expect(readFileSync(join(root, 'elsewhere', 'config.json'), 'utf8')).toBe('TOP SECRET');
});

describe('edit_file', () => {
  it('replaces one passage, keeps the mode, leaves nothing else behind, and can be undone', async () => {
    const { file, cwd, call, read } = await setUp();
    const result = await call('edit_file', { path: 'config.json', old: '"b": 2', new: '"b": 3' });
    expect(result).toMatchObject({ isError: false, data: { outcome: 'performed' } });
    expect(read()).toBe(BAD);
    expect(statSync(file).mode & 0o777).toBe(0o640);
    expect(readdirSync(cwd)).toEqual(['config.json']);
    expect((await call('undo_edits')).data).toMatchObject({ outcome: 'performed', undone: 1, left: 0 });
    expect(read()).toBe(GOOD);
  });

  it.each([
    ['not in it', { path: 'config.json', old: '"c"', new: 'x' }],
    ['more than once in it', { path: 'config.json', old: '"', new: 'x' }],
    ['no change', { path: 'config.json', old: '"a"', new: '"a"' }],
    ['outside', { path: '../secret.txt', old: 'T', new: 'x' }],
    ['a sibling that is not listed', { path: 'other.json', old: 'T', new: 'x' }],
    ['a link to the outside', { path: 'link.json', old: 'T', new: 'x' }],
    ['below a folder that is a link to the outside', { path: 'folder/secret.txt', old: 'T', new: 'x' }],
    ['a secret by its name', { path: '.env', old: 'T', new: 'x' }],
    ['missing', { path: 'none.json', old: 'T', new: 'x' }],
    ['binary', { path: 'binary.json', old: 'T', new: 'x' }],
  ])('%s: refused, nothing is written', async (_what, input) => {
    const edit = ['config.json', 'link.json', 'f*/**', '.env', 'none.json', 'binary.json'];
    const { root, cwd, call, read, journal } = await setUp(edit);
    mkdirSync(join(root, 'outside'));
    for (const path of ['secret.txt', 'outside/secret.txt', 'app/.env', 'app/other.json'])
      writeFileSync(join(root, path), 'T');
    writeFileSync(join(cwd, 'binary.json'), 'T\0');
    symlinkSync(join(root, 'secret.txt'), join(cwd, 'link.json'));
    symlinkSync(join(root, 'outside'), join(cwd, 'folder'));
    const result = await call('edit_file', input);
    expect(result).toMatchObject({ isError: true, data: { outcome: 'refused' } });
    expect(read()).toBe(GOOD);
    for (const path of ['secret.txt', 'outside/secret.txt', 'app/.env', 'app/other.json'])
      expect(readFileSync(join(root, path), 'utf8')).toBe('T');
    expect(await journal.read()).toEqual([]);
  });
});

describe('restore_file', () => {
  it('puts the last good content back byte for byte, and its mode', async () => {
    const { file, call, read } = await setUp();
    writeFileSync(file, BAD);
    chmodSync(file, 0o600);
    expect(await call('restore_file', { path: file })).toMatchObject({ data: { outcome: 'performed' } });
    expect(read()).toBe(GOOD);
    expect(statSync(file).mode & 0o777).toBe(0o640);
  });

  it('a file that was removed comes back, and one that should not be there goes', async () => {
    const { cwd, file, call, read } = await setUp(['config.json', 'extra.json']);
    rmSync(file);
    writeFileSync(join(cwd, 'extra.json'), 'x');
    await call('restore_file', { path: 'config.json', expect: 'absent' });
    await call('restore_file', { path: 'extra.json' }, 'T1');
    expect(read()).toBe(GOOD);
    expect(existsSync(join(cwd, 'extra.json'))).toBe(false);
    expect((await call('undo_edits')).data).toMatchObject({ undone: 2 });
    expect(existsSync(file)).toBe(false);
    expect(readFileSync(join(cwd, 'extra.json'), 'utf8')).toBe('x');
  });

  it('not as the caller saw it: fenced, nothing is written', async () => {
    const { file, call, read } = await setUp();
    writeFileSync(file, BAD);
    const result = await call('restore_file', { path: file, expect: 'absent' });
    expect(result).toMatchObject({ isError: true, data: { outcome: 'fenced' } });
    expect(read()).toBe(BAD);
  });

  it('the same content again after a restore is meant: left to a person, in this ticket and in later ones', async () => {
    const { file, call, read } = await setUp();
    writeFileSync(file, BAD);
    await call('restore_file', { path: file });
    writeFileSync(file, BAD);
    for (const ticket of ['T1', 'T2']) {
      const result = await call('restore_file', { path: file }, ticket);
      expect(result).toMatchObject({ isError: true, data: { outcome: 'intended' } });
      expect(read()).toBe(BAD);
    }
    // Positive control: other bad content is restored.
    writeFileSync(file, `${BAD} `);
    expect(await call('restore_file', { path: file }, 'T2')).toMatchObject({
      data: { outcome: 'performed' },
    });
  });
});

describe('a call that is repeated after a crash', () => {
  const copyOf = (entry: EditEntry | undefined, phase: EditEntry['phase']): EditEntry => {
    if (!entry) throw new Error('no entry');
    return { ...entry, phase };
  };

  it('died after the edit: finds it done, does not do it again', async () => {
    const { file, deps, tryAgain, journal } = await setUp();
    writeFileSync(file, BAD);
    await tryAgain('restore_file', { path: file });
    const [begun] = await journal.read();
    const path = join(deps.dataDir, 'edits', 'limiter', 'journal.ndjson');
    writeFileSync(path, `${JSON.stringify(begun)}\n{"at": "cut off`);
    const before = statSync(file).mtimeMs;
    expect(await tryAgain('restore_file', { path: file })).toMatchObject({ data: { outcome: 'performed' } });
    expect(statSync(file).mtimeMs).toBe(before);
    expect((await journal.read()).map(({ phase }) => phase)).toEqual(['begun', 'done']);
  });

  it('died before the edit: does it', async () => {
    const { file, deps, tryAgain, journal, read } = await setUp();
    writeFileSync(file, BAD);
    await tryAgain('restore_file', { path: file });
    const [begun] = await journal.read();
    writeFileSync(join(deps.dataDir, 'edits', 'limiter', 'journal.ndjson'), `${JSON.stringify(begun)}\n`);
    writeFileSync(file, BAD);
    await tryAgain('restore_file', { path: file });
    expect(read()).toBe(GOOD);
  });

  it('done, and somebody wrote the old content again since: stays as that person left it', async () => {
    const { file, tryAgain, read } = await setUp();
    const edit = { path: file, old: '"b": 2', new: '"b": 3' };
    await tryAgain('edit_file', edit);
    writeFileSync(file, GOOD);
    expect(await tryAgain('edit_file', edit)).toMatchObject({
      isError: false,
      data: { outcome: 'performed' },
    });
    expect(read()).toBe(GOOD);
  });

  it('begun, and now it is something else: fenced', async () => {
    const { file, deps, tryAgain, journal, read } = await setUp();
    await tryAgain('edit_file', { path: file, old: '"b": 2', new: '"b": 3' });
    const [entry] = await journal.read();
    const path = join(deps.dataDir, 'edits', 'limiter', 'journal.ndjson');
    writeFileSync(path, `${JSON.stringify(copyOf(entry, 'begun'))}\n`);
    writeFileSync(file, 'something else\n');
    const result = await tryAgain('edit_file', { path: file, old: '"b": 2', new: '"b": 3' });
    expect(result).toMatchObject({ isError: true, data: { outcome: 'fenced' } });
    expect(read()).toBe('something else\n');
  });
});

describe('undo_edits', () => {
  it('leaves alone what somebody changed after the ticket, and says so', async () => {
    const { file, call, read } = await setUp();
    writeFileSync(file, BAD);
    await call('restore_file', { path: file });
    writeFileSync(file, 'a person was here\n');
    const result = await call('undo_edits');
    expect(result).toMatchObject({ data: { outcome: 'noop', undone: 0, left: 1 } });
    expect(result.content).toContain('left alone');
    expect(read()).toBe('a person was here\n');
  });
  it('for a person: the journal and the audit say who, and the content is meant from then on', async () => {
    const { file, deps, call, undoForAna, journal, read } = await setUp();
    writeFileSync(file, BAD);
    await call('restore_file', { path: file });
    const result = await undoForAna();
    expect(result).toMatchObject({ isError: false, data: { outcome: 'performed', undone: 1, left: 0 } });
    expect(parseUndoReport(result.data)).toEqual({ files: [{ path: file, outcome: 'undone', reason: '' }] });
    expect(read()).toBe(BAD);
    expect((await journal.read()).map(({ tool, phase, person }) => [tool, phase, person?.by])).toEqual([
      ['restore_file', 'begun', undefined],
      ['restore_file', 'done', undefined],
      ['undo_edits', 'begun', 'ana'],
      ['undo_edits', 'done', 'ana'],
    ]);
    const audit = readFileSync(paths.audit(deps.dataDir), 'utf8').trim().split('\n');
    expect(JSON.parse(audit.at(-1) ?? '')).toMatchObject({ tool: 'undo_edits', ticket: 'T1', by: 'ana' });

    for (const ticket of ['T1', 'T2']) {
      const again = await call('restore_file', { path: file }, ticket);
      expect(again).toMatchObject({ isError: true, data: { outcome: 'intended' } });
      expect(again.content).toContain('by ana, who undid the edits of ticket T1: it is meant so');
    }
    expect(read()).toBe(BAD);
  });

  it.each([
    ['has begun an attempt since', Promise.resolve(true), 'Ticket T1 is being worked on again'],
    ['cannot be looked at', Promise.reject(new Error('no server')), 'undo_edits failed: no server'],
  ])('ordered by a person, and the ticket %s: refused, nothing is written', async (_what, answer, said) => {
    answer.catch(() => undefined);
    const isAtWork = () => answer;
    const { file, deps, call, undoForAna, journal, read } = await setUp();
    writeFileSync(file, BAD);
    await call('restore_file', { path: file });
    const lines = await journal.read();
    deps.isAtWork = isAtWork;
    const result = await undoForAna();
    expect(result).toMatchObject({ isError: true, content: expect.stringContaining(said) as string });
    expect(parseUndoReport(result.data)).toBeNull();
    expect(read()).toBe(GOOD);
    expect(await journal.read()).toEqual(lines);
    expect(await call('undo_edits')).toMatchObject({ isError: false, data: { undone: 1 } });
  });

  it('undone by the ticket itself: the next ticket restores it', async () => {
    const { file, call, read } = await setUp();
    writeFileSync(file, BAD);
    await call('restore_file', { path: file });
    await call('undo_edits');
    expect(read()).toBe(BAD);
    await call('restore_file', { path: file }, 'T2');
    expect(read()).toBe(GOOD);
  });

  it.each([
    ['what its first edit left', GOOD, BAD, 'undone'],
    ['what its second edit left', 'second', BAD, 'undone'],
    ['as it was found', BAD, BAD, 'as_found'],
    ['what a person wrote', 'by hand', 'by hand', 'left'],
  ])('its second edit was cut off by a crash, and the file is %s', async (_what, is, becomes, outcome) => {
    const { deps, file, call, journal, read } = await setUp();
    writeFileSync(file, BAD);
    await call('restore_file', { path: file });
    await call('edit_file', { path: file, old: GOOD, new: 'second' });
    expect(read()).toBe('second');
    const lines = (await journal.read()).slice(0, 3).map((entry) => JSON.stringify(entry));
    writeFileSync(join(deps.dataDir, 'edits', 'limiter', 'journal.ndjson'), `${lines.join('\n')}\n`);
    writeFileSync(file, is);
    const { data } = await call('undo_edits');
    expect(parseUndoReport(data)?.files).toMatchObject([{ path: file, outcome }]);
    expect(read()).toBe(becomes);
  });

  it('one file that cannot be put back does not keep the others, and is named', async () => {
    const { cwd, file, deps, call, undoForAna, read } = await setUp(['config.json', 'extra.json']);
    const extra = join(cwd, 'extra.json');
    writeFileSync(file, BAD);
    writeFileSync(extra, 'x');
    await call('restore_file', { path: extra });
    await call('restore_file', { path: file });
    rmSync(join(deps.dataDir, 'edits', 'limiter', sha256(Buffer.from('x'))));
    const result = await undoForAna();
    expect(result).toMatchObject({ isError: true, data: { outcome: 'failed', undone: 1, left: 1 } });
    expect(parseUndoReport(result.data)?.files).toEqual([
      { path: extra, outcome: 'failed', reason: expect.stringContaining('ENOENT') as string },
      { path: file, outcome: 'undone', reason: '' },
    ]);
    expect(read()).toBe(BAD);
    expect(existsSync(extra)).toBe(false);
  });

  it.each([
    ['after the file was put back', 3],
    ['after it was done', 4],
  ])('died %s: the next try still says so, and who', async (_when, kept) => {
    const { file, deps, call, undoForAna, journal, read } = await setUp();
    writeFileSync(file, BAD);
    await call('restore_file', { path: file });
    await undoForAna();
    const path = join(deps.dataDir, 'edits', 'limiter', 'journal.ndjson');
    const lines = (await journal.read()).slice(0, kept).map((entry) => JSON.stringify(entry));
    writeFileSync(path, `${lines.join('\n')}\n`);
    expect(parseUndoReport((await undoForAna()).data)).toEqual({
      files: [{ path: file, outcome: 'undone', reason: '' }],
    });
    expect(read()).toBe(BAD);
    expect(undosByPerson(await journal.read(), 'T1')).toMatchObject([{ ...ANA, files: [file] }]);
  });

  it('puts back only the own edits of the ticket', async () => {
    const { file, call, read } = await setUp();
    writeFileSync(file, BAD);
    await call('restore_file', { path: file }, 'T1');
    expect(await call('undo_edits', {}, 'T2')).toMatchObject({ data: { outcome: 'noop' } });
    expect(read()).toBe(GOOD);
  });
  it('a folder that became a link leads nowhere', async () => {
    const { root, cwd, file, call } = await setUp();
    writeFileSync(file, BAD);
    await call('restore_file', { path: file });
    rmSync(cwd, { recursive: true });
    mkdirSync(join(root, 'elsewhere'));
    writeFileSync(join(root, 'elsewhere', 'config.json'), GOOD);
    symlinkSync(join(root, 'elsewhere'), cwd);
    await call('undo_edits');
    expect(readFileSync(join(root, 'elsewhere', 'config.json'), 'utf8')).toBe(GOOD);
  });
});

it('a service without editable files: every edit is refused', async () => {
  const root = makeTempDir();
  const deps = makeDeps(root, { services: [makeService(root, { files: { read: [], edit: [] } })] });
  for (const name of ['edit_file', 'restore_file', 'undo_edits'] as const) {
    expect(await callTool(deps, name, { path: 'x' })).toMatchObject({
      isError: true,
      data: { outcome: 'refused' },
    });
  }
});
