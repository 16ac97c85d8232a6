import { randomBytes } from 'node:crypto';
import { access, constants, mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { errorText } from '../config/error-text';
import { paths } from '../config/paths';
import { processIdentity } from './process-identity';

export interface DataDirLock {
  release(): Promise<void>;
}

/** Another live harness runs on this data directory. Exit code 1. */
export class DataDirInUse extends Error {
  override readonly name = 'DataDirInUse';
  constructor(
    readonly pid: number,
    dataDir: string,
  ) {
    super(
      `another harness (pid ${String(pid)}) runs on ${dataDir}. Stop it with Ctrl-C or "kill ${String(pid)}", ` +
        'or give this one a directory and ports of its own (HARNESS_DATA_DIR, HARNESS_WEB_PORT, HARNESS_TEMPORAL_PORT).',
    );
  }
}

/** Nothing can be kept in this directory. Exit code 78. */
export class DataDirUnusable extends Error {
  override readonly name = 'DataDirUnusable';
}

const holder = z.object({ pid: z.int().positive(), identity: z.string() });
const CLAIM = /^lock-.+\.json$/;
/** How long a claim made at the same moment by somebody else may take to be withdrawn. */
const PATIENCE_MS = 1_500;

async function makeFolder(folder: string, dataDir: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await access(folder, constants.W_OK);
  } catch (error) {
    throw new DataDirUnusable(
      `nothing can be written to the data directory ${dataDir} (${errorText(error)}). ` +
        'Choose another one with data_dir in harness.yaml, --data-dir or HARNESS_DATA_DIR.',
      { cause: error },
    );
  }
}

/**
 * Takes the data directory for this process; what ended processes have left does not count.
 * Throws DataDirInUse when a live process holds it.
 *
 * Everybody first puts down a claim under a name of its own and then looks for others: of two, the later one is sure to see
 * the earlier one, so never do both go on. Of several at once the smallest name stays and the others withdraw. A name is
 * never used twice, so removing the claim of a dead process cannot hit anybody else's.
 */
export async function lockDataDir(dataDir: string): Promise<DataDirLock> {
  const folder = paths.run(dataDir);
  await makeFolder(folder, dataDir);
  const name = `lock-${String(process.pid)}-${randomBytes(8).toString('hex')}.json`;
  const path = join(folder, name);
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    let others = await liveClaims(folder, name);
    if (others.length === 0) {
      await putClaim(path);
      do {
        others = await liveClaims(folder, name);
        if (others.length === 0) return { release: () => rm(path, { force: true }) };
        await delay(5);
      } while (others.every((other) => name < other.name) && performance.now() < deadline);
      await rm(path, { force: true });
    }
    const [first] = others;
    if (first !== undefined && performance.now() >= deadline) throw new DataDirInUse(first.pid, dataDir);
    await delay(20);
  }
}

async function putClaim(path: string): Promise<void> {
  const identity = (await processIdentity(process.pid)) ?? '';
  // Renamed into place, so that nobody reads half of it and takes it for damage.
  await writeFile(`${path}.new`, JSON.stringify({ pid: process.pid, identity }), { mode: 0o600 });
  await rename(`${path}.new`, path);
}

interface Claim {
  readonly name: string;
  readonly pid: number;
}

/** Claims of other live processes; removes those of dead ones. */
async function liveClaims(folder: string, own: string): Promise<readonly Claim[]> {
  const names = (await readdir(folder)).filter((name) => CLAIM.test(name) && name !== own);
  const claims = await Promise.all(
    names.map(async (name) => {
      const text = await readFile(join(folder, name), 'utf8').catch(() => null);
      if (text === null) return null;
      const pid = await liveHolder(text);
      if (pid === null) await rm(join(folder, name), { force: true });
      return pid === null ? null : { name, pid };
    }),
  );
  return claims.filter((claim) => claim !== null);
}

async function liveHolder(text: string): Promise<number | null> {
  const parsed = holder.safeParse(parseJson(text));
  // Claims appear whole; anything else is damage.
  if (!parsed.success) return null;
  const { pid, identity } = parsed.data;
  return (await processIdentity(pid)) === identity ? pid : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
