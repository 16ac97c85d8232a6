import { randomBytes } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { paths } from '../config/paths';

/** Writes the token that writing routes ask for, readable by its owner only; `given` is HARNESS_TOKEN. Returns it. */
export async function writeRunToken(dataDir: string, given: string | undefined): Promise<string> {
  const token = given ?? randomBytes(32).toString('hex');
  const path = paths.token(dataDir);
  await mkdir(paths.run(dataDir), { recursive: true, mode: 0o700 });
  await writeFile(`${path}.new`, `${token}\n`, { mode: 0o600 });
  await rename(`${path}.new`, path);
  return token;
}

export async function removeRunToken(dataDir: string): Promise<void> {
  await rm(paths.token(dataDir), { force: true });
}
