import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createConfinement } from '../../../../src/activities/tools/confined-path';
import { readTextFile } from '../../../../src/activities/tools/read-text-file';
import { callTool, makeDeps, makeService, makeTempDirs } from '../../../support/tool-deps';

const makeTempDir = makeTempDirs();

function write(root: string, path: string, text: string | Buffer = `content of ${path}\n`): string {
  const full = join(root, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, text);
  return full;
}

/** A service directory with everything an attacker could plant beside and in it. */
function makeTree(): string {
  const root = makeTempDir();
  write(root, 'src/main.ts', 'line one\nline two\nconst needle = 1;\n');
  write(root, 'src/deep/other.ts', 'no\nneedle again\n');
  write(root, 'config.json', '{"capacity": 5}');
  write(root, 'secret.txt', 'TOP SECRET');
  write(root, 'src-evil/x.ts', 'TOP SECRET needle');
  write(root, 'src/.env', 'TOP SECRET needle');
  write(root, 'src/.env.local', 'TOP SECRET needle');
  write(root, 'src/server.pem', 'TOP SECRET needle');
  write(root, 'src/tls.key', 'TOP SECRET needle');
  write(root, 'src/id_rsa', 'TOP SECRET needle');
  write(root, 'src/.git/config', 'TOP SECRET needle');
  write(root, 'src/run/token', 'TOP SECRET needle');
  write(root, 'src/node_modules/x/index.js', 'needle');
  write(root, 'src/binary.bin', Buffer.from([0x6e, 0x65, 0x65, 0x64, 0x6c, 0x65, 0]));
  write(root, 'src/latin1.txt', Buffer.from([0xe4, 0xff, 0x80]));
  write(root, 'src/big.txt', 'b'.repeat(256 * 1024 + 1));
  symlinkSync(join(root, 'secret.txt'), join(root, 'src/link-out'));
  symlinkSync(join(root, 'src-evil'), join(root, 'src/dir-out'));
  symlinkSync(join(root, 'src/main.ts'), join(root, 'src/link-in'));
  symlinkSync(join(root, 'src/nowhere'), join(root, 'src/dangling'));
  return root;
}

describe('read_file', () => {
  const root = makeTree();
  const deps = makeDeps(root);
  const read = (path: string, more: { offset?: number; limit?: number } = {}) =>
    callTool(deps, 'read_file', { path, ...more });

  it.each([
    ['a relative path', 'src/main.ts'],
    ['an absolute path', join(root, 'src/main.ts')],
    ['a path with dots that stays inside', 'src/deep/../main.ts'],
    ['a link that stays inside', 'src/link-in'],
  ])('%s is read', async (_what, path) => {
    const result = await read(path);
    expect(result).toMatchObject({ isError: false, data: { lines: 3, bytes: 36 } });
    expect(result.content).toContain('lines 1 to 3 of 3:\nline one\nline two');
  });

  it('an editable file is readable', async () => {
    expect((await read('config.json')).content).toContain('{"capacity": 5}');
  });

  it.each([
    ['a file beside the globs', 'secret.txt'],
    ['a sibling whose name begins alike', 'src-evil/x.ts'],
    ['the same by dots', 'src/../src-evil/x.ts'],
    ['an absolute path outside', '/etc/passwd'],
    ['a link to a file outside', 'src/link-out'],
    ['a file through a link to a directory outside', 'src/dir-out/x.ts'],
    ['.env', 'src/.env'],
    ['.env.local', 'src/.env.local'],
    ['a certificate', 'src/server.pem'],
    ['a key', 'src/tls.key'],
    ['an SSH key', 'src/id_rsa'],
    ['git internals', 'src/.git/config'],
    ['the token of the harness', 'src/run/token'],
    ['a file that is missing', 'src/missing.ts'],
    ['a dangling link', 'src/dangling'],
    ['a directory', 'src/deep'],
    ['a binary file', 'src/binary.bin'],
    ['a file that is not UTF-8', 'src/latin1.txt'],
    ['a file above 256 KiB', 'src/big.txt'],
    ['a NUL character', 'src/main.ts\0.json'],
  ])('%s is refused as data, not thrown', async (_what, path) => {
    const result = await read(path);
    expect(result.isError).toBe(true);
    expect(result.content).not.toContain('TOP SECRET');
    expect(result.content.length).toBeGreaterThan(20);
  });

  it('positive control: without confinement the planted links do lead to the secrets', () => {
    expect(readFileSync(join(root, 'src/link-out'), 'utf8')).toBe('TOP SECRET');
    expect(readFileSync(join(root, 'src/dir-out/x.ts'), 'utf8')).toContain('TOP SECRET');
    expect(readFileSync(join(root, 'src/run/token'), 'utf8')).toContain('TOP SECRET');
  });

  it('a secret name is refused even when a glob names it', async () => {
    const service = makeService(root, {
      files: { read: [join(root, 'src/.env'), join(root, 'src/tls.*')], edit: [] },
    });
    const result = await callTool(makeDeps(root, { services: [service] }), 'read_file', { path: 'src/.env' });
    expect(result).toMatchObject({ isError: true });
    expect(result.content).toContain('never readable');
  });

  it('a refusal names what is readable', async () => {
    expect((await read('secret.txt')).content).toContain('src/**, config.json');
  });

  it('offset and limit choose lines; an offset behind the end says how many there are', async () => {
    expect((await read('src/main.ts', { offset: 2, limit: 1 })).content).toBe(
      'src/main.ts, lines 2 to 2 of 3:\nline two',
    );
    expect((await read('src/main.ts', { offset: 9 })).content).toContain('has 3 lines');
  });

  it('a FIFO is refused at once instead of waiting for a writer', async () => {
    execFileSync('/usr/bin/mkfifo', [join(root, 'src/fifo')]);
    expect((await read('src/fifo')).content).toContain('no regular file');
  });

  it('a root that became a link after the start leads nowhere; without the pin it would', async () => {
    const own = makeTree();
    const service = makeService(own);
    const pinned = createConfinement(service);
    renameSync(join(own, 'src'), join(own, 'src-moved'));
    symlinkSync(join(own, 'src-evil'), join(own, 'src'));
    await expect(readTextFile(pinned, 'src/x.ts', 1_000)).rejects.toThrow('outside');
    // Positive control: resolved after the exchange, the same path is inside.
    const late = createConfinement(service);
    await expect(readTextFile(late, 'src/x.ts', 1_000)).resolves.toMatchObject({ text: 'TOP SECRET needle' });
  });

  it('a service without files says so', async () => {
    const service = makeService(root, { files: { read: [], edit: [] } });
    const result = await callTool(makeDeps(root, { services: [service] }), 'read_file', {
      path: 'src/main.ts',
    });
    expect(result).toMatchObject({ isError: true });
    expect(result.content).toContain('declares no files');
  });
});

describe('list_files', () => {
  const root = makeTree();
  const deps = makeDeps(root);

  it('lists readable regular files only', async () => {
    const { content, data } = await callTool(deps, 'list_files', {});
    const names = content.split('\n').map((line) => line.split(' ')[0]);
    expect(names.sort()).toEqual([
      'config.json',
      'src/big.txt',
      'src/binary.bin',
      'src/deep/other.ts',
      'src/latin1.txt',
      'src/main.ts',
    ]);
    expect(data).toEqual({ files: 6, truncated: false });
  });

  it.each([
    [{ pattern: '*.ts' }, 2],
    [{ pattern: 'src/*.ts' }, 1],
    [{ path: 'src/deep' }, 1],
    [{ path: 'src/main.ts' }, 1],
    [{ path: '.' }, 6],
    [{ pattern: '*.none' }, 0],
  ])('%j lists %d files', async (input, files) => {
    expect((await callTool(deps, 'list_files', input)).data).toEqual({ files, truncated: false });
  });

  it.each(['/etc', 'src/.git', '/etc/does-not-exist'])('looking below %s is refused', async (path) => {
    const below = makeService(root, { files: { read: [join(root, 'src/**')], edit: [] } });
    const result = await callTool(makeDeps(root, { services: [below] }), 'list_files', { path });
    expect(result.isError).toBe(true);
    expect(result.content).toContain('nothing readable below');
  });

  it.each(['src-evil', 'src/dir-out', 'src/missing', 'missing'])(
    'below %s nothing is found, in the same words whether it exists or not',
    async (path) => {
      expect(await callTool(deps, 'list_files', { path })).toMatchObject({
        content: 'No readable file matches.',
        data: { files: 0 },
      });
    },
  );
});

describe('search_code', () => {
  const root = makeTree();
  const deps = makeDeps(root);

  it('finds fixed text in readable text files, with file and line', async () => {
    const { content, data } = await callTool(deps, 'search_code', { text: 'needle' });
    expect(content.split('\n').slice(1)).toEqual([
      'src/deep/other.ts:2: needle again',
      'src/main.ts:3: const needle = 1;',
    ]);
    expect(data).toMatchObject({ matches: 2, truncated: false });
  });

  it('a pattern is text, not a pattern', async () => {
    write(root, 'src/re.txt', 'aaaa\n(a+)+$\n');
    const { content } = await callTool(deps, 'search_code', { text: '(a+)+$' });
    expect(content).toContain('src/re.txt:2: (a+)+$');
    expect(content).not.toContain('src/re.txt:1');
  });

  it('stops at 200 matches and says so', async () => {
    const many = makeTempDir();
    write(many, 'src/many.txt', 'needle\n'.repeat(500));
    const { data, content } = await callTool(makeDeps(many), 'search_code', { text: 'needle' });
    expect(data).toMatchObject({ matches: 200, truncated: true });
    expect(content).toContain('narrow it down');
  });

  it('finds nothing below a path outside, though it is there', async () => {
    expect(readFileSync(join(root, 'src-evil/x.ts'), 'utf8')).toContain('needle');
    expect(await callTool(deps, 'search_code', { text: 'needle', path: 'src-evil' })).toMatchObject({
      data: { matches: 0, files: 0 },
    });
  });
});
