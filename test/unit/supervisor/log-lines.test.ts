import {
  cleanLine,
  CONTINUED,
  CONTINUES,
  LineSplitter,
  MAX_LINE_BYTES,
} from '../../../src/supervisor/log-lines';

function split(...chunks: readonly (string | Buffer)[]): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  for (const chunk of chunks) splitter.push(Buffer.from(chunk));
  splitter.end();
  return lines;
}

describe('LineSplitter', () => {
  test.each([
    ['whole lines', ['a\nb\n'], ['a', 'b']],
    ['a line in three chunks', ['on', 'e l', 'ine\n'], ['one line']],
    ['a last line without newline is handed over at the end', ['a\nrest'], ['a', 'rest']],
    ['empty lines stay', ['a\n\nb\n'], ['a', '', 'b']],
    ['no output: no line', [''], []],
    ['CRLF', ['a\r\nb\r\n'], ['a', 'b']],
  ])('%s', (_name, chunks, expected) => {
    expect(split(...chunks)).toEqual(expected);
  });

  test('a character cut in two by a chunk border stays whole', () => {
    const bytes = Buffer.from('grün\n');
    const cut = bytes.indexOf(0xc3) + 1;
    expect(split(bytes.subarray(0, cut), bytes.subarray(cut))).toEqual(['grün']);
  });

  test('a line of exactly the limit is not cut', () => {
    expect(split(`${'x'.repeat(MAX_LINE_BYTES)}\n`)).toEqual(['x'.repeat(MAX_LINE_BYTES)]);
  });

  test('a longer line is cut into marked pieces that give the line when joined', () => {
    const long = 'x'.repeat(2 * MAX_LINE_BYTES + 5);
    const pieces = split(long.slice(0, 100_000), `${long.slice(100_000)}\nnext\n`);
    expect(pieces).toHaveLength(4);
    expect(pieces[0]).toBe('x'.repeat(MAX_LINE_BYTES) + CONTINUES);
    expect(pieces[1]).toBe(CONTINUED + 'x'.repeat(MAX_LINE_BYTES) + CONTINUES);
    expect(pieces[2]).toBe(`${CONTINUED}xxxxx`);
    expect(pieces[3]).toBe('next');
  });

  test('a cut never falls into a character', () => {
    const long = `a${'ü'.repeat(MAX_LINE_BYTES)}`;
    const text = split(`${long}\n`)
      .map((piece) => piece.replace(CONTINUED, '').replace(CONTINUES, ''))
      .join('');
    expect(text).toBe(long);
  });

  test('what is kept for an unfinished line stays bounded', () => {
    const lines: string[] = [];
    const splitter = new LineSplitter((line) => lines.push(line));
    for (let index = 0; index < 40; index += 1) splitter.push(Buffer.alloc(50_000, 0x78));
    expect(lines).toHaveLength(Math.floor((40 * 50_000 - 1) / MAX_LINE_BYTES));
  });
});

describe('cleanLine', () => {
  test.each([
    ['colours', '\u001b[31mred\u001b[0m', 'red'],
    ['a title sequence', '\u001b]0;owned\u0007text', 'text'],
    ['carriage returns and bells', 'a\rb\u0007c', 'abc'],
    ['C1 controls', 'a\u009b31mb', 'ab'],
    ['tabs stay', 'a\tb', 'a\tb'],
    ['text stays', 'größe 漢字 🙂', 'größe 漢字 🙂'],
  ])('%s', (_name, line, expected) => {
    expect(cleanLine(line)).toBe(expected);
  });
});
