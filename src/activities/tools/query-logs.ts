import { z } from 'zod';
import { parseDuration } from '../../domain/duration';
import { serviceOf } from './service-of';
import type { Tool, ToolDeps } from './tool';
import { defineTool, untilAborted } from './tool';
import { ToolProblem } from './tool-result';

const MAX_LINE_LENGTH = 2_000;

const input = z.strictObject({
  service: z.string().optional(),
  contains: z.string().min(1).max(200).optional(),
  /** A duration back from now (`10m`) or an RFC 3339 time. */
  since: z.string().min(1).max(40).optional(),
  limit: z.number().int().min(1).max(500).default(100),
});

/** The newest stored log lines of a service, oldest first. */
export function createQueryLogs(deps: ToolDeps): Tool {
  return defineTool('query_logs', input, async ({ service, contains, since, limit }, { ticket, signal }) => {
    const { name } = serviceOf(deps.services, service ?? ticket.service);
    const options = {
      limit,
      ...(contains === undefined ? {} : { contains }),
      ...(since === undefined ? {} : { sinceIso: toIso(since, deps.now()) }),
    };
    const { lines, truncated } = await untilAborted(deps.readLogs(deps.dataDir, name, options), signal);
    const shown = lines.map(({ at, stream, line }) => `${at} ${stream} ${line.slice(0, MAX_LINE_LENGTH)}`);
    const filter = contains === undefined ? '' : ` that contain ${JSON.stringify(contains)}`;
    return {
      content:
        shown.length === 0
          ? `No stored log lines of ${name}${filter}. Try without contains, or an earlier since.`
          : [
              `${shown.length} log lines of ${name}${filter}${truncated ? ' (there are older ones)' : ''}:`,
              ...shown,
            ].join('\n'),
      data: { service: name, lines: shown.length, truncated },
    };
  });
}

function toIso(since: string, now: Date): string {
  const durationMs = parseDuration(since);
  const at = durationMs === null ? new Date(since) : new Date(now.getTime() - durationMs);
  if (!Number.isNaN(at.getTime())) return at.toISOString();
  throw new ToolProblem(
    `since ${JSON.stringify(since)} is neither a duration like "10m" nor a time like "2026-01-31T12:00:00.000Z".`,
  );
}
