import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { paths } from '../config/paths';
import type { EditEntry } from '../domain/edit-journal';
import { parseEditEntry } from '../domain/edit-journal';
import { errorCode } from './error-code';
import { closedSegments } from './segments';

/** Where the next entry goes; older ones are in its closed segments. */
export function editJournalPath(dataDir: string, service: string): string {
  return join(paths.edits(dataDir, service), 'journal.ndjson');
}

/** What tickets did to the files of one service, oldest first; empty when they did nothing. */
export async function readEditJournal(dataDir: string, service: string): Promise<EditEntry[]> {
  const file = editJournalPath(dataDir, service);
  // The open one first: closed meanwhile it is read twice, which changes nothing, and not missed.
  const open = await readJournalPart(file);
  const closed: EditEntry[] = [];
  for (const segment of await closedSegments(file)) closed.push(...(await readJournalPart(segment)));
  return [...closed, ...open];
}

export async function readJournalPart(file: string): Promise<EditEntry[]> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return '';
    throw error;
  });
  return text.split('\n').flatMap((line) => parseEditEntry(parseJson(line)) ?? []);
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
