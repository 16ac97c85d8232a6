import type { HarnessConfig } from '../config/config';
import type { ProcessHost } from '../config/process-host';
import type { CliContext } from './context';
import { createProcessHost } from './process-host';

export type ProcessBody = (config: HarnessConfig, host: ProcessHost) => Promise<number | void>;

/** Runs one long-running process until it is told to stop; 130 or 143 when a signal did. */
export async function runProcess(context: CliContext, name: string, body: ProcessBody): Promise<number> {
  const config = context.config();
  const host = createProcessHost({ name, logLevel: config.logLevel, process });
  try {
    const code = await body(config, host);
    return typeof code === 'number' && code !== 0 ? code : host.exitCode();
  } finally {
    host.release();
  }
}
