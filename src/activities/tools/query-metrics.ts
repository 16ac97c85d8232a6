import { z } from 'zod';
import { serviceOf } from './service-of';
import type { Tool, ToolDeps } from './tool';
import { defineTool } from './tool';
import { ToolProblem } from './tool-result';

const TIMEOUT_MS = 2_000;
const MAX_BYTES = 1024 * 1024;
const MAX_LINES = 200;

const input = z.strictObject({ name_contains: z.string().min(1).max(200).optional() });

/** Samples of the service's own metrics page; no other URL can be asked for. */
export function createQueryMetrics(deps: ToolDeps): Tool {
  return defineTool('query_metrics', input, async ({ name_contains: part }, { ticket, signal }) => {
    const { name, metricsUrl } = serviceOf(deps.services, ticket.service);
    if (metricsUrl === null) {
      throw new ToolProblem(
        `The service ${name} has no metrics_url; go on with inspect_service and query_logs.`,
      );
    }
    const all = await readMetricSamples(metricsUrl, signal);
    const wanted = part === undefined ? all : all.filter((line) => line.includes(part));
    const shown = wanted.slice(0, MAX_LINES);
    const filter = part === undefined ? '' : ` that contain ${JSON.stringify(part)}`;
    const rest = wanted.length > shown.length ? ['There are more: narrow it down with name_contains.'] : [];
    return {
      content: [`${shown.length} of ${all.length} samples of ${name}${filter}:`, ...shown, ...rest].join(
        '\n',
      ),
      data: { service: name, samples: shown.length, truncated: rest.length > 0 },
    };
  });
}

/** The samples of a metrics page, one a line. Throws ToolProblem when it cannot be read. */
export async function readMetricSamples(url: string, signal: AbortSignal): Promise<string[]> {
  const page = await fetchText(url, signal);
  return page.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

/** Redirects are not followed: they could lead anywhere. */
async function fetchText(url: string, signal: AbortSignal): Promise<string> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const response = await fetch(url, { redirect: 'error', signal: AbortSignal.any([signal, timeout]) });
    if (!response.ok) {
      await response.body?.cancel();
      throw new ToolProblem(
        `${url} answered ${response.status}; the service may be unwell, see inspect_service.`,
      );
    }
    return await readAtMost(response, url);
  } catch (error) {
    if (signal.aborted || error instanceof ToolProblem) throw error;
    const reason = timeout.aborted ? `no answer within ${TIMEOUT_MS} ms` : reasonOf(error);
    throw new ToolProblem(`${url} cannot be read (${reason}); the service may be down, see inspect_service.`);
  }
}

async function readAtMost(response: Response, url: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk as Uint8Array);
    bytes += (chunk as Uint8Array).length;
    // Leaving the loop cancels the body.
    if (bytes > MAX_BYTES) throw new ToolProblem(`${url} sent more than ${MAX_BYTES} bytes; it is not read.`);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error && error.cause.message !== '' ? error.cause.message : error.message;
}
