import {
  closeSync,
  constants,
  fstatSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
} from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { descriptorWriter, prefixedOutput, prettyLine } from '../../../src/supervisor/log-output';

describe('prettyLine', () => {
  test.each([
    ['a plain line', 'hello', 'hello'],
    [
      'pino: message, then fields, without the fixed ones',
      '{"level":30,"time":1,"pid":2,"hostname":"h","msg":"listening","port":8001,"host":"::1"}',
      'listening port=8001 host=::1',
    ],
    ['a warning says so', '{"level":40,"msg":"slow"}', 'WARN slow'],
    ['values with spaces are quoted', '{"msg":"x","why":"no such file"}', 'x why="no such file"'],
    ['nested values are JSON', '{"msg":"x","a":{"b":1}}', 'x a={"b":1}'],
    ['JSON without a message', '{"a":1}', '{"a":1}'],
    ['a message that is no text', '{"msg":5}', '{"msg":5}'],
    ['broken JSON', '{"msg":', '{"msg":'],
    ['escapes in the message do not become control characters', '{"msg":"a\\u001b[2Jb\\nc"}', 'a [2Jb c'],
    [
      'escapes in a field do not become control characters',
      '{"msg":"m","k":"\\u001b[2J"}',
      'm k="\\u001b[2J"',
    ],
  ])('%s', (_name, line, expected) => {
    expect(prettyLine(line)).toBe(expected);
  });
});

describe('prefixedOutput', () => {
  test('without colour: padded name, line, newline', () => {
    let text = '';
    const output = prefixedOutput((part) => (text += part), { color: false });
    output.show('web', 'one');
    output.show('rate_limiter', '{"msg":"two"}');
    expect(text).toBe('[web]          one\n[rate_limiter] two\n');
  });

  test('with colour: each name keeps a colour of its own', () => {
    const parts: string[] = [];
    const output = prefixedOutput((part) => parts.push(part), { color: true });
    for (const name of ['a', 'b', 'a']) output.show(name, 'x');
    expect(parts[0]).toBe(parts[2]);
    expect(parts[0]?.startsWith('\u001b[')).toBe(true);
    expect(parts[0]?.slice(0, 5)).not.toBe(parts[1]?.slice(0, 5));
  });
});

describe('descriptorWriter', () => {
  let dir: string;
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'harness-output-'))));
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  test('everything arrives in order when flush resolves', async () => {
    const file = join(dir, 'out');
    const descriptor = openSync(file, 'w');
    const writer = descriptorWriter(descriptor);
    for (let index = 0; index < 1_000; index += 1) writer.write(`${index}\n`);
    await writer.flush();
    expect(fstatSync(descriptor).size).toBe(readFileSync(file).length);
    closeSync(descriptor);
    expect(readFileSync(file, 'utf8').split('\n').slice(0, 1_000)).toEqual(
      [...Array(1_000).keys()].map(String),
    );
  });

  test('a reader that has stopped does not block the caller; what does not fit is counted', async () => {
    const fifo = join(dir, 'fifo');
    execFileSync('/usr/bin/mkfifo', [fifo]);
    const reader = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
    const descriptor = openSync(fifo, constants.O_WRONLY);
    const writer = descriptorWriter(descriptor);
    const line = `${'x'.repeat(1_023)}\n`;
    for (let index = 0; index < 5_000; index += 1) writer.write(line);

    let text = '';
    let flushed = false;
    void writer.flush().then(() => (flushed = true));
    const block = Buffer.alloc(65_536);
    while (!flushed) {
      try {
        text += block.toString('latin1', 0, readSync(reader, block));
      } catch {
        // Empty for the moment.
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    try {
      for (;;) text += block.toString('latin1', 0, readSync(reader, block));
    } catch {
      // Empty.
    }
    closeSync(descriptor);
    closeSync(reader);
    const dropped = Number(/… (\d+) lines not shown/.exec(Buffer.from(text, 'latin1').toString('utf8'))?.[1]);
    expect(dropped).toBeGreaterThan(1_000);
    expect(text.split('\n').filter((shown) => shown.startsWith('x'))).toHaveLength(5_000 - dropped);
  });
});
