import { constants } from 'node:fs';
import { access, realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Where only the system's administrator can put programs; the PATH of this process does not count. */
export const TRUSTED_DIRECTORIES = ['/usr/bin', '/bin', '/usr/sbin', '/sbin'] as const;

/** Real path of a program named without a path; null when it is not installed in one of the directories, or leads out of them. */
export async function findProgram(name: string, directories: readonly string[]): Promise<string | null> {
  if (name === '' || name.includes('/') || name.startsWith('.')) return null;
  const trusted = await Promise.all(directories.map((path) => realpath(path).catch(() => path)));
  for (const directory of directories) {
    const real = await realpath(join(directory, name)).catch(() => null);
    if (real !== null && trusted.includes(dirname(real)) && (await isExecutableFile(real))) return real;
  }
  return null;
}

async function isExecutableFile(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
