import { stripVTControlCharacters } from 'node:util';

/** Longest stored line in bytes; a longer one is cut into marked pieces. */
export const MAX_LINE_BYTES = 64 * 1024;
export const CONTINUES = ' [continues]';
export const CONTINUED = '[continued] ';

const NEWLINE = 0x0a;
const CONTROL = /[^\P{Cc}\t]/u;
const CONTROLS = /[^\P{Cc}\t]/gu;

/** Cuts a byte stream into clean lines: bounded length, whole UTF-8 characters, no control characters. */
export class LineSplitter {
  private rest: Buffer = Buffer.alloc(0);
  private isContinuation = false;

  constructor(private readonly onLine: (line: string) => void) {}

  push(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      this.append(chunk.subarray(start, end));
      this.finishLine();
      start = end + 1;
    }
    this.append(chunk.subarray(start));
  }

  /** Hands over a last line that has no newline. */
  end(): void {
    if (this.rest.length > 0) this.finishLine();
  }

  private append(bytes: Buffer): void {
    // A copy, so that a short rest does not hold the whole chunk it came from.
    this.rest = this.rest.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.rest, bytes]);
    while (this.rest.length > MAX_LINE_BYTES) {
      const cut = characterStart(this.rest, MAX_LINE_BYTES);
      this.emit(this.rest.subarray(0, cut), CONTINUES);
      this.isContinuation = true;
      this.rest = this.rest.subarray(cut);
    }
  }

  private finishLine(): void {
    this.emit(this.rest, '');
    this.rest = Buffer.alloc(0);
    this.isContinuation = false;
  }

  private emit(bytes: Buffer, suffix: string): void {
    const prefix = this.isContinuation ? CONTINUED : '';
    this.onLine(`${prefix}${cleanLine(bytes.toString('utf8'))}${suffix}`);
  }
}

/** Without ANSI sequences and control characters (tabs stay): a log must not steer the terminal of its reader. */
export function cleanLine(line: string): string {
  return CONTROL.test(line) ? stripVTControlCharacters(line).replace(CONTROLS, '') : line;
}

/** The last index ≤ `index` at which a UTF-8 character starts. */
function characterStart(bytes: Buffer, index: number): number {
  let start = index;
  while (start > index - 4 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start -= 1;
  return start;
}
