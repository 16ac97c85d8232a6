import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { paths } from '../config/paths';
import { errorCode } from './error-code';

/** Where the parts of a running harness are; written by `run`, read by processes started alone and by the CLI. */
export interface Endpoints {
  readonly runId: string;
  readonly supervisorPid: number;
  readonly startedAt: string;
  readonly temporalAddress: string;
  readonly temporalNamespace: string;
  /** Null with a Temporal that the harness did not start. */
  readonly temporalUiUrl: string | null;
  readonly webUrl: string | null;
  readonly controlSocket: string;
  readonly monitorUrl: string | null;
}

const file = z
  .object({
    run_id: z.string(),
    supervisor_pid: z.int().positive(),
    started_at: z.string(),
    temporal_address: z.string(),
    temporal_namespace: z.string(),
    temporal_ui_url: z.string().nullable(),
    web_url: z.string().nullable(),
    control_socket: z.string(),
    monitor_url: z.string().nullable(),
  })
  .transform((wire): Endpoints => ({
    runId: wire.run_id,
    supervisorPid: wire.supervisor_pid,
    startedAt: wire.started_at,
    temporalAddress: wire.temporal_address,
    temporalNamespace: wire.temporal_namespace,
    temporalUiUrl: wire.temporal_ui_url,
    webUrl: wire.web_url,
    controlSocket: wire.control_socket,
    monitorUrl: wire.monitor_url,
  }));

/** Null when no harness has written one. Throws, naming the file, when it is there and makes no sense. */
export async function readEndpoints(dataDir: string): Promise<Endpoints | null> {
  const path = paths.endpoints(dataDir);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
  const parsed = file.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new Error(
    `${path} is not what "harness run" writes (${z.prettifyError(parsed.error).replaceAll('\n', ' ')}). ` +
      'Delete it and start "harness run" again.',
  );
}

/** Replaces the file as a whole, readable by its owner only. */
export async function writeEndpoints(dataDir: string, endpoints: Endpoints): Promise<void> {
  const path = paths.endpoints(dataDir);
  await mkdir(paths.run(dataDir), { recursive: true, mode: 0o700 });
  const wire: z.input<typeof file> = {
    run_id: endpoints.runId,
    supervisor_pid: endpoints.supervisorPid,
    started_at: endpoints.startedAt,
    temporal_address: endpoints.temporalAddress,
    temporal_namespace: endpoints.temporalNamespace,
    temporal_ui_url: endpoints.temporalUiUrl,
    web_url: endpoints.webUrl,
    control_socket: endpoints.controlSocket,
    monitor_url: endpoints.monitorUrl,
  };
  const temporary = `${path}.${randomBytes(6).toString('hex')}`;
  await writeFile(temporary, `${JSON.stringify(wire, null, 2)}\n`, { mode: 0o600 });
  await rename(temporary, path);
}

export async function removeEndpoints(dataDir: string): Promise<void> {
  await rm(paths.endpoints(dataDir), { force: true });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
