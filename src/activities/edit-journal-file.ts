import { constants } from 'node:fs';
import { mkdir, open, readFile, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { editJournalPath, readEditJournal } from '../client/edit-journal-reader';
import { paths } from '../config/paths';
import type { EditEntry } from '../domain/edit-journal';
import { sha256 } from './editable-files';
import { syncFolder, writeDurably } from './write-durably';

/** What tickets did to the files of one service, with a copy of every content they replaced. */
export interface EditJournal {
  read(): Promise<EditEntry[]>;
  /** On disk when it resolves. */
  append(entry: EditEntry): Promise<void>;
  keepCopy(bytes: Buffer): Promise<void>;
  /** Rejects when the copy is gone or damaged. */
  readCopy(hash: string): Promise<Buffer>;
}

const HASH = /^[0-9a-f]{64}$/;
const FLAGS = constants.O_APPEND | constants.O_CREAT | constants.O_RDWR | constants.O_NOFOLLOW;

export function openEditJournal(dataDir: string, service: string): EditJournal {
  const folder = paths.edits(dataDir, service);
  const file = editJournalPath(dataDir, service);
  const copyPath = (hash: string): string => join(folder, hash);
  return {
    read: () => readEditJournal(dataDir, service),
    async append(entry) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const handle = await open(file, FLAGS, 0o600);
      try {
        const { size } = await handle.stat();
        // A crash may have cut the last line off; the next one must not grow onto it.
        await handle.writeFile(`${size > 0 ? '\n' : ''}${JSON.stringify(entry)}\n`);
        await handle.sync();
        if (size === 0) await syncFolder(folder);
      } finally {
        await handle.close();
      }
    },
    async keepCopy(bytes) {
      const path = copyPath(sha256(bytes));
      if (!(await touch(path))) await writeDurably(path, bytes);
    },
    async readCopy(hash) {
      if (!HASH.test(hash)) throw new Error(`${JSON.stringify(hash)} names no copy`);
      const bytes = await readFile(copyPath(hash));
      if (sha256(bytes) !== hash) throw new Error(`the copy ${copyPath(hash)} is damaged`);
      return bytes;
    },
  };
}

/** Says to the pruning that a copy is needed again; false when there is none. */
async function touch(path: string): Promise<boolean> {
  try {
    const now = new Date();
    await utimes(path, now, now);
    return true;
  } catch {
    return false;
  }
}
