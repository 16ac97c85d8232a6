import { spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

export interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
  /** Null when it exited 0; otherwise what happened, to follow the command's name in a sentence. */
  readonly failure: string | null;
}

const KEPT_CHARACTERS = 64 * 1024;

/**
 * Runs a program to its end in a process group of its own and never rejects. When `signal` aborts or `timeoutMs`
 * passes, the whole group is killed, so that nothing it started is left behind.
 */
export function runCommand(
  file: string,
  args: readonly string[],
  options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    let stdout = '';
    let stderr = '';
    let stopped: string | null = null;
    const stop = (why: string) => {
      stopped ??= why;
      killGroup(child.pid);
    };
    const timer = setTimeout(
      () => stop(`gave no result within ${String(options.timeoutMs / 1000)} s`),
      options.timeoutMs,
    );
    const onAbort = () => stop('was stopped');
    options.signal?.addEventListener('abort', onAbort, { once: true });
    if (options.signal?.aborted) onAbort();
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout = (stdout + text).slice(-KEPT_CHARACTERS);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-KEPT_CHARACTERS);
    });
    const finish = (failure: string | null) => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', onAbort);
      resolve({ stdout, stderr, failure: stopped ?? failure });
    };
    child.once('error', (error) => finish(`could not be started (${error.message})`));
    child.once('close', (code, signal) => {
      if (code === 0) finish(null);
      else finish(signal === null ? `exited with code ${String(code)}` : `was ended by ${signal}`);
    });
  });
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It ended by itself meanwhile.
  }
}

/** The first executable file of that name on a search path like $PATH; null when there is none. */
export async function findOnPath(name: string, searchPath: string): Promise<string | null> {
  for (const folder of searchPath.split(delimiter).filter((entry) => entry !== '')) {
    const path = join(folder, name);
    if (await isExecutableFile(path)) return path;
  }
  return null;
}

export async function isExecutableFile(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
