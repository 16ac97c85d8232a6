import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { paths } from '../config/paths';
import { freePort, isPortFree } from './free-port';
import { databaseFile, refuseToAbandonTickets } from './temporal-databases';
import type { TemporalCli } from './temporal-cli';

/** How to start the embedded server; the same on every restart, so that ports and data stay. */
export interface TemporalLaunch {
  readonly command: readonly string[];
  readonly databaseFile: string;
  readonly address: string;
  readonly uiUrl: string;
}

export interface PlanOptions {
  readonly cli: TemporalCli;
  readonly dataDir: string;
  /** Made by the server on its first start. */
  readonly namespace: string;
  /** 0 = any free port. */
  readonly askedPort: number;
  readonly abandonOpenTickets: boolean;
  readonly searchPath: string;
  readonly say: (line: string) => void;
}

const UI_PORT_OFFSET = 1_000;
const HOST = '127.0.0.1';

/**
 * Chooses ports and database file of the embedded server, on loopback only.
 * Throws ConfigError when a database of another server version still holds open tickets and nobody gave them up.
 */
export async function planTemporalServer(options: PlanOptions): Promise<TemporalLaunch> {
  const folder = resolve(paths.temporal(options.dataDir));
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = databaseFile(folder, options.cli.serverVersion);
  await refuseToAbandonTickets({ ...options, folder, file });
  const port = await choosePort(options.askedPort, 'Temporal', options.say);
  const uiPort = await chooseUiPort(options.askedPort, port, options.say);
  return {
    command: [
      ...[options.cli.path, 'server', 'start-dev', '--ip', HOST],
      ...['--port', String(port), '--ui-port', String(uiPort)],
      ...['--namespace', options.namespace, '--db-filename', file],
      // Three times the throughput of the defaults, and a killed server loses nothing acknowledged.
      ...['--sqlite-pragma', 'journal_mode=WAL', '--sqlite-pragma', 'synchronous=NORMAL'],
      ...['--log-level', 'warn', '--ui-disable-news-fetch'],
    ],
    databaseFile: file,
    address: `${HOST}:${String(port)}`,
    uiUrl: `http://${HOST}:${String(uiPort)}`,
  };
}

async function choosePort(asked: number, what: string, say: (line: string) => void): Promise<number> {
  if (asked === 0) return freePort(HOST);
  if (await isPortFree(asked, HOST)) return asked;
  const other = await freePort(HOST);
  say(`${what}: port ${String(asked)} is in use, taking ${String(other)} instead`);
  return other;
}

/** With the asked port the UI is where people expect it; next to a substitute its number has no meaning. */
function chooseUiPort(asked: number, port: number, say: (line: string) => void): Promise<number> {
  const usual = port + UI_PORT_OFFSET;
  return choosePort(port === asked && usual <= 65_535 ? usual : 0, 'Temporal UI', say);
}
