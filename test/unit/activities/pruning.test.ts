import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { createAuditLog, pruneAudit } from '../../../src/activities/audit';
import { openEditJournal } from '../../../src/activities/edit-journal-file';
import { pruneEdits } from '../../../src/activities/prune-edits';
import { pruneOutputs } from '../../../src/activities/prune-outputs';
import { closedSegments, closeSegmentAt, keepLastSegments } from '../../../src/client/segments';
import { paths } from '../../../src/config/paths';
import type { EditEntry } from '../../../src/domain/edit-journal';
import { makeTempDirs, TICKET } from '../../support/tool-deps';

const makeTempDir = makeTempDirs();
const DAY_MS = 86_400_000;
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const linesOf = (file: string): string[] => readFileSync(file, 'utf8').split('\n').filter(Boolean);

const auditLog = (file: string) => createAuditLog({ file, redact: (text) => text, now: () => new Date() });
const decide = (file: string, id: string): Promise<void> =>
  auditLog(file).decision({
    ticket: TICKET,
    call: { id, name: 'run_command', input: {} },
    decision: { verdict: 'allow', rule: 'r', reason: '' },
  });
const callOf = (line: string): string => (JSON.parse(line) as { call: string }).call;

describe('the audit', () => {
  it('many write while many close at once: every acknowledged line is there once, all files 0600', async () => {
    const file = paths.audit(makeTempDir());
    const ids = Array.from({ length: 400 }, (_, index) => `call-${index}`);
    let isWriting = true;
    const close = async (): Promise<void> => {
      while (isWriting) await closeSegmentAt(file, 1_024);
    };
    const closing = [close(), close(), close()];
    const shares = [0, 1, 2, 3].map((start) => ids.filter((_id, index) => index % 4 === start));
    await Promise.all(
      shares.map(async (share) => {
        for (const id of share) await decide(file, id);
      }),
    );
    isWriting = false;
    await Promise.all(closing);
    await decide(file, 'last');
    const segments = await closedSegments(file);
    expect(segments.length).toBeGreaterThan(20);
    const found = [...segments, file].flatMap(linesOf).map(callOf);
    expect(found.toSorted()).toEqual([...ids, 'last'].toSorted());
    expect(new Set([...segments, file].map((one) => statSync(one).mode & 0o777))).toEqual(new Set([0o600]));
  });

  it('one that has grown to 10 MiB is closed by the next line, which is kept', async () => {
    const file = paths.audit(makeTempDir());
    await decide(file, 'first');
    truncateSync(file, 10 * 1024 * 1024 - 1);
    await decide(file, 'below the limit');
    expect(await closedSegments(file)).toEqual([]);
    await decide(file, 'at the limit');
    await decide(file, 'after it');
    const [segment = ''] = await closedSegments(file);
    expect(linesOf(segment).at(-1)).toContain('at the limit');
    expect(linesOf(file).map(callOf)).toEqual(['after it']);
  });

  it('nine closed files stay, the newest ones; other files are left alone', async () => {
    const dir = makeTempDir();
    const file = paths.audit(dir);
    writeFileSync(join(dir, 'audit.notes.ndjson'), 'of a person');
    for (let index = 0; index < 12; index += 1) {
      await decide(file, `call-${index}`);
      await pruneAudit(file, 1);
    }
    const left = (await closedSegments(file)).flatMap(linesOf).map(callOf);
    expect(left).toEqual([3, 4, 5, 6, 7, 8, 9, 10, 11].map((index) => `call-${index}`));
    expect(existsSync(join(dir, 'audit.notes.ndjson'))).toBe(true);
  });

  it('no audit yet: nothing to do', async () => {
    const dir = join(makeTempDir(), 'none');
    await pruneAudit(paths.audit(dir));
    await keepLastSegments(paths.audit(dir), 1);
    expect(existsSync(dir)).toBe(false);
  });
});

describe('stored output', () => {
  it('the oldest go until the rest fits; without a folder nothing happens', async () => {
    const dir = makeTempDir();
    await pruneOutputs(dir);
    mkdirSync(paths.outputs(dir));
    for (const [name, age] of [
      ['old', 3],
      ['middle', 2],
      ['new', 1],
    ] as const) {
      const path = join(paths.outputs(dir), `${name}.txt`);
      writeFileSync(path, 'x'.repeat(100));
      utimesSync(path, 1_000_000 - age, 1_000_000 - age);
    }
    await pruneOutputs(dir, 300);
    expect(readdirSync(paths.outputs(dir))).toHaveLength(3);
    await pruneOutputs(dir, 250);
    expect(readdirSync(paths.outputs(dir)).sort()).toEqual(['middle.txt', 'new.txt']);
  });
});

describe('the edit journal', () => {
  const SERVICE = 'limiter';
  const none = new Set<string>();
  const later = (days: number) => ({ nowMs: Date.now() + days * DAY_MS, openTickets: none });

  /** An edit as the tools make it: the copy first, then what is going to be done, then that it is. */
  async function edit(dir: string, ticket: string, operation: string, before: string): Promise<void> {
    const journal = openEditJournal(dir, SERVICE);
    await journal.keepCopy(Buffer.from(before));
    const entry: EditEntry = {
      at: new Date().toISOString(),
      operation,
      ticket,
      tool: 'edit_file',
      path: '/c',
      before: { sha256: sha256(before), mode: 0o644 },
      after: { sha256: sha256('after'), mode: 0o644 },
      phase: 'begun',
    };
    await journal.append(entry);
    await journal.append({ ...entry, phase: 'done' });
  }
  /** Enough operations of another ticket that nothing before them is among the last, and that the file is closed. */
  async function manyMore(dir: string, count = 600): Promise<void> {
    const journal = openEditJournal(dir, SERVICE);
    await edit(dir, 'busy', 'busy/0', 'busy');
    const [last] = (await journal.read()).slice(-1);
    const lines = Array.from({ length: count }, (_, index) => ({ ...last, operation: `busy/${index + 1}` }));
    const file = join(paths.edits(dir, SERVICE), 'journal.ndjson');
    writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''), { flag: 'a' });
  }
  const tickets = async (dir: string): Promise<string[]> => [
    ...new Set((await openEditJournal(dir, SERVICE).read()).map(({ ticket }) => ticket)),
  ];
  const readCopy = (dir: string, text: string): Promise<Buffer> =>
    openEditJournal(dir, SERVICE).readCopy(sha256(text));

  it('a large journal is closed, and nothing of it is missed', async () => {
    const dir = makeTempDir();
    await edit(dir, 'old', 'old/1', 'found by old');
    await manyMore(dir);
    const before = await openEditJournal(dir, SERVICE).read();
    await pruneEdits(dir, later(0));
    expect(await closedSegments(join(paths.edits(dir, SERVICE), 'journal.ndjson'))).toHaveLength(1);
    await edit(dir, 'young', 'young/1', 'found by young');
    const after = await openEditJournal(dir, SERVICE).read();
    expect(after.slice(0, before.length)).toEqual(before);
    expect(after.slice(before.length).map(({ ticket }) => ticket)).toEqual(['young', 'young']);
  });

  it('a part that was closed a moment ago is not dropped: an edit may still be writing to it', async () => {
    const dir = makeTempDir();
    const journal = openEditJournal(dir, SERVICE);
    await edit(dir, 'old', 'old/1', 'found by old');
    const file = join(paths.edits(dir, SERVICE), 'journal.ndjson');
    const text = readFileSync(file, 'utf8').replaceAll(/"at":"[^"]*"/g, '"at":"2020-01-01T00:00:00.000Z"');
    writeFileSync(file, text);
    await closeSegmentAt(file, 1);
    await manyMore(dir);
    await pruneEdits(dir, later(0));
    expect((await journal.read())[0]).toMatchObject({ ticket: 'old' });
    await pruneEdits(dir, later(0.1));
    expect(await tickets(dir)).toEqual(['busy']);
  });

  it('a part is dropped when every ticket in it may go; copies that another part names stay', async () => {
    const dir = makeTempDir();
    await edit(dir, 'old', 'old/1', 'only in old');
    await edit(dir, 'old', 'old/2', 'in both');
    const folder = paths.edits(dir, SERVICE);
    await closeSegmentAt(join(folder, 'journal.ndjson'), 1);
    await edit(dir, 'busy', 'busy/00', 'in both');
    await manyMore(dir);

    await pruneEdits(dir, { ...later(40), openTickets: new Set(['old']) });
    expect(await tickets(dir)).toEqual(['old', 'busy']);
    await pruneEdits(dir, later(29));
    expect(await tickets(dir)).toEqual(['old', 'busy']);

    await pruneEdits(dir, later(40));
    expect(await tickets(dir)).toEqual(['busy']);
    await expect(readCopy(dir, 'only in old')).rejects.toThrow(/ENOENT/);
    expect((await readCopy(dir, 'in both')).toString()).toBe('in both');
    expect((await readCopy(dir, 'busy')).toString()).toBe('busy');
  });

  it('a copy without an entry: kept while an edit may be about to name it, then removed; half-written ones too', async () => {
    const dir = makeTempDir();
    const journal = openEditJournal(dir, SERVICE);
    await journal.keepCopy(Buffer.from('about to be named'));
    const half = join(paths.edits(dir, SERVICE), `${sha256('half')}.0123456789ab`);
    writeFileSync(half, 'ha');
    await pruneEdits(dir, later(0));
    expect(existsSync(half)).toBe(true);
    await expect(readCopy(dir, 'about to be named')).resolves.toBeDefined();
    await pruneEdits(dir, later(1));
    expect(readdirSync(paths.edits(dir, SERVICE))).toEqual([]);
  });

  it('an old copy that an edit keeps again counts as new', async () => {
    const dir = makeTempDir();
    const journal = openEditJournal(dir, SERVICE);
    await journal.keepCopy(Buffer.from('again'));
    const copy = join(paths.edits(dir, SERVICE), sha256('again'));
    utimesSync(copy, 1_000, 1_000);
    await journal.keepCopy(Buffer.from('again'));
    await pruneEdits(dir, later(0));
    expect(existsSync(copy)).toBe(true);
  });

  it('a copy that a crash caught while it was being removed comes back, and is judged anew', async () => {
    const dir = makeTempDir();
    await edit(dir, 'T', 'T/1', 'found');
    const copy = join(paths.edits(dir, SERVICE), sha256('found'));
    renameSync(copy, `${copy}.gone`);
    await pruneEdits(dir, later(1));
    expect(readdirSync(paths.edits(dir, SERVICE)).sort()).toEqual(['journal.ndjson', sha256('found')].sort());
  });
});
