import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
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
  const temporary = `${path}.${randomBytes(6).toString('hex')}`;
  await writeFile(temporary, `${token}\n`, { mode: 0o600, flag: 'wx' });
  try {
    // Of two processes that start at once, one links its file and the other reads it whole.
    await link(temporary, path);
    return token;
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
    const other = await read(path);
    if (other === '') throw new Error(`${path} is empty; delete it and start again.`, { cause: error });
    return other;
  } finally {
    await rm(temporary, { force: true });
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
