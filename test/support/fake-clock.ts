import { existsSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where it is without a folder for each architecture. */
const FOLDERS = ['/usr/lib/faketime', '/usr/lib64/faketime', '/usr/local/lib/faketime'];

/** The wall clock of the processes that get `env`, moved while they run; how time passes for them stays as it is. */
export class FakeClock {
  readonly env: Readonly<Record<string, string>>;

  /** Throws when libfaketime is not installed: without it nothing is tested. */
  constructor(private readonly file: string) {
    this.setAhead(0);
    this.env = {
      LD_PRELOAD: libfaketime(),
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    };
  }

  /** So far ahead of the real one, or behind it; it goes on from there. */
  setAhead(ms: number): void {
    // By rename: it is read at every look at the clock, and half a line would be another time.
    writeFileSync(`${this.file}.new`, `${ms < 0 ? '' : '+'}${(ms / 1_000).toFixed(3)}\n`);
    renameSync(`${this.file}.new`, this.file);
  }
}

function libfaketime(): string {
  const perArchitecture = readdirSync('/usr/lib').map((name) => join('/usr/lib', name, 'faketime'));
  for (const folder of [...perArchitecture, ...FOLDERS]) {
    const file = join(folder, 'libfaketimeMT.so.1');
    if (existsSync(file)) return file;
  }
  throw new Error('libfaketime is needed to move the clock of a service: apt-get install libfaketime');
}
