import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { errorCode } from '../client/error-code';
import { paths } from '../config/paths';

/** The token of this run: the configured one, else the one in the data directory, else a new one, kept there (0600). */
export async function ensureToken(dataDir: string, configured: string | undefined): Promise<string> {
  if (configured !== undefined && configured !== '') return configured;
  const path = paths.token(dataDir);
  const known = await read(path);
  if (known !== '') return known;
  const token = randomBytes(32).toString('base64url');
  await mkdir(paths.run(dataDir), { recursive: true, mode: 0o700 });
  try {
    // `wx`: of two processes that start at once, one writes and the other reads what it wrote.
    await writeFile(path, `${token}\n`, { mode: 0o600, flag: 'wx' });
    return token;
  } catch (error) {
    const other = await read(path);
    if (other === '') throw error;
    return other;
  }
}

async function read(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return '';
    throw error;
  }
}
