const MAX_KEPT_BYTES = 1024 * 1024;
const MAX_TAIL_BYTES = 24 * 1024;

/** Takes output of any size in bounded memory: the first MiB, the last 24 KiB, and the count of all bytes. */
export class OutputCollector {
  private readonly kept: Buffer[] = [];
  private keptBytes = 0;
  private last: Buffer = Buffer.alloc(0);
  private total = 0;

  add(chunk: Buffer): void {
    this.total += chunk.length;
    const room = MAX_KEPT_BYTES - this.keptBytes;
    if (room > 0) {
      const part = chunk.subarray(0, room);
      this.kept.push(part);
      this.keptBytes += part.length;
    }
    this.last = Buffer.concat([this.last, chunk.subarray(-MAX_TAIL_BYTES)]).subarray(-MAX_TAIL_BYTES);
  }

  get bytes(): number {
    return this.total;
  }

  /** The first bytes, at most one MiB of them. */
  head(bytes: number = MAX_KEPT_BYTES): string {
    return Buffer.concat(this.kept).subarray(0, bytes).toString('utf8');
  }

  /** The last bytes, at most 24 KiB of them. */
  tail(bytes: number = MAX_TAIL_BYTES): string {
    return this.last.subarray(-bytes).toString('utf8');
  }
}
