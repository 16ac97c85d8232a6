import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { z } from 'zod';
import { paths } from '../../config/paths';
import { stripInvisible } from '../../domain/untrusted-text';
import { findProgram } from './find-program';
import type { OutputCollector } from './output-collector';
import type { RunResult } from './run-process';
import { runProcess } from './run-process';
import type { CommandSettings, Tool, ToolDeps, ToolScope } from './tool';
import { defineTool } from './tool';
import { HEAD_BYTES, ToolProblem } from './tool-result';

const TIMEOUT_MS = 10_000;
/** A cancelled ticket's command is gone within 3 s, the way of the cancellation to here included. */
const GRACE_MS = 1_500;
const TAIL_BYTES = 6 * 1024;
/** Shown bytes end well before collected ones, so that a secret cut by the collector is never shown. */
const MARGIN_BYTES = 4 * 1024;

const input = z.strictObject({ argv: z.array(z.string()).min(1).max(32) });

/** Runs an allowed program for diagnosis. Policy has matched its argv before; nothing here widens it. */
export function createRunCommand(deps: ToolDeps): Tool {
  return defineTool('run_command', input, async ({ argv }, scope) => {
    const [name = ''] = argv;
    const file = await findProgram(name, deps.commands.directories);
    if (file === null) {
      throw new ToolProblem(
        `${JSON.stringify(name)} is not installed on this machine (looked in ${deps.commands.directories.join(', ')}); go on with inspect_service and query_logs.`,
      );
    }
    const result = await runInScratch(file, argv, deps.commands, scope.signal);
    const shown = await showOutput(deps, scope, result.output);
    return {
      isError: result.timedOut || result.exitCode !== 0,
      content: `${describeEnd(result)}\n${shown.text}`,
      data: {
        exitCode: result.exitCode,
        signal: result.exitSignal,
        timedOut: result.timedOut,
        durationMs: Math.round(result.durationMs),
        bytes: result.output.bytes,
        file: shown.file,
      },
    };
  });
}

/** An empty directory as HOME and working directory, and nothing of our own environment but the marks. */
async function runInScratch(
  file: string,
  argv: readonly string[],
  { directories, marks }: CommandSettings,
  signal: AbortSignal,
): Promise<RunResult> {
  const scratch = await mkdtemp(join(tmpdir(), 'harness-run-'));
  try {
    return await runProcess({
      file,
      argv,
      cwd: scratch,
      env: { PATH: directories.join(':'), HOME: scratch, LANG: 'C.UTF-8', TERM: 'dumb', ...marks },
      timeoutMs: TIMEOUT_MS,
      graceMs: GRACE_MS,
      signal,
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function describeEnd(result: RunResult): string {
  const seconds = `${(result.durationMs / 1_000).toFixed(1)} s`;
  if (result.timedOut) return `Stopped after ${seconds}: it did not end in time. Its output so far:`;
  if (result.exitCode === null)
    return `Ended by ${result.exitSignal ?? 'nobody knows what'} after ${seconds}:`;
  return `Exit code ${result.exitCode} after ${seconds}:`;
}

/** Small output is shown whole; of a large one the beginning and the end, and (up to a MiB) it is kept as a file. */
export async function showOutput(
  deps: ToolDeps,
  scope: ToolScope,
  output: OutputCollector,
): Promise<{ readonly text: string; readonly file: string | null }> {
  const clean = (text: string): string => deps.redact(stripInvisible(text));
  if (output.bytes === 0) return { text: '(no output)', file: null };
  if (output.bytes <= HEAD_BYTES + TAIL_BYTES) return { text: clean(output.head()), file: null };
  const head = firstBytes(clean(output.head(HEAD_BYTES + MARGIN_BYTES)), HEAD_BYTES);
  const tail = lastBytes(clean(output.tail(TAIL_BYTES + MARGIN_BYTES)), TAIL_BYTES);
  const file = await keepOutput(deps.dataDir, scope, clean(output.head()));
  const left = output.bytes - HEAD_BYTES - TAIL_BYTES;
  return { text: `${head}\n[... about ${left} of ${output.bytes} bytes left out ...]\n${tail}`, file };
}

/** Path below the data directory. Names come from hashes: an ID is somebody's text. */
async function keepOutput(dataDir: string, scope: ToolScope, text: string): Promise<string> {
  const directory = paths.outputs(dataDir);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const name = createHash('sha256')
    .update(scope.operationId)
    .update(scope.call.id)
    .digest('hex')
    .slice(0, 24);
  const file = join(directory, `${name}.txt`);
  await writeFile(file, text, { mode: 0o600 });
  return relative(dataDir, file);
}

function firstBytes(text: string, bytes: number): string {
  return Buffer.from(text)
    .subarray(0, bytes)
    .toString('utf8')
    .replace(/\uFFFD+$/, '');
}

function lastBytes(text: string, bytes: number): string {
  return Buffer.from(text)
    .subarray(-bytes)
    .toString('utf8')
    .replace(/^\uFFFD+/, '');
}
