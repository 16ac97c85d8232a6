import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ApplicationFailure } from '@temporalio/common';
import { z } from 'zod';
import { closeSegmentAt, keepLastSegments } from '../client/segments';
import { FAILURES } from '../domain/failures';
import type { Redact } from '../domain/redaction';
import type { Decision, ToolCall, ToolResult } from '../domain/tool';
import type { TicketContext } from '../workflows/agent-contract';
import type { PersonRequest } from '../workflows/contract';

/**
 * Append-only record of what the agent was allowed and did. A turn that a crash repeats is decided twice, and its first calls
 * may be in no history. Both methods throw `Storage` when the line cannot be written.
 */
export interface AuditLog {
  decision(entry: {
    readonly ticket: TicketContext;
    readonly call: ToolCall;
    readonly decision: Decision;
  }): Promise<void>;
  execution(entry: {
    readonly ticket: TicketContext;
    readonly call: ToolCall;
    /** Who ordered it; null when the ticket's own brain proposed it. */
    readonly person: PersonRequest | null;
    readonly durationMs: number;
    readonly ended: 'returned' | 'cancelled';
    /** Null when it was cancelled. */
    readonly result: ToolResult | null;
  }): Promise<void>;
}

export interface AuditDeps {
  /** `paths.audit(dataDir)`. */
  readonly file: string;
  readonly redact: Redact;
  readonly now: () => Date;
}

const APPEND = constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY | constants.O_NOFOLLOW;

const SEGMENT_BYTES = 10 * 1024 * 1024;
const KEPT_SEGMENTS = 9;

/** Writes NDJSON with mode 0600, one line at a time in the order of the calls. */
export function createAuditLog(deps: AuditDeps): AuditLog {
  let last: Promise<unknown> = Promise.resolve();
  const append = (line: object): Promise<void> => {
    const text = `${deps.redact(JSON.stringify({ at: deps.now().toISOString(), ...line }))}\n`;
    const written = last.then(() => appendLine(deps.file, text));
    last = written.catch(() => undefined);
    return written;
  };
  return {
    decision: ({ ticket, call, decision }) =>
      append({
        kind: 'decision',
        ...describeCall(ticket, call),
        rule: decision.rule,
        verdict: decision.verdict,
        reason: decision.reason,
      }),
    execution: ({ ticket, call, person, durationMs, ended, result }) =>
      append({
        kind: 'execution',
        ...describeCall(ticket, call),
        ...(person && { by: person.by }),
        ended,
        is_error: result?.isError ?? null,
        exit_code: result ? exitCodeOf(result) : null,
        duration_ms: Math.round(durationMs),
        bytes: result ? Buffer.byteLength(result.content) : 0,
        output_sha256: result ? sha256(result.content) : null,
      }),
  };
}

/** Keeps the record at about 100 MiB. Throws when a file cannot be renamed or removed. */
export async function pruneAudit(file: string, segmentBytes = SEGMENT_BYTES): Promise<void> {
  await closeSegmentAt(file, segmentBytes);
  await keepLastSegments(file, KEPT_SEGMENTS);
}

async function appendLine(file: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    const handle = await open(file, APPEND, 0o600);
    try {
      // What cannot be pruned now is said by the daily pruning; the line counts.
      if ((await handle.stat()).size >= SEGMENT_BYTES) await pruneAudit(file).catch(() => undefined);
      await handle.writeFile(text);
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw ApplicationFailure.create({
      type: FAILURES.storage,
      message: `The audit log ${file} cannot be written (${(error as Error).message}); nothing runs unrecorded. Free the disk or repair its permissions.`,
    });
  }
}

function describeCall(ticket: TicketContext, call: ToolCall): object {
  const argv = call.input['argv'];
  return {
    ticket: ticket.ticketId,
    invariant: ticket.invariantId,
    call: call.id.slice(0, 200),
    tool: call.name.slice(0, 200),
    input_sha256: sha256(JSON.stringify(call.input)),
    ...(Array.isArray(argv) ? { argv: argv.slice(0, 32).map((word) => String(word).slice(0, 1_024)) } : {}),
  };
}

function exitCodeOf({ data }: ToolResult): number | null {
  const parsed = z.object({ exitCode: z.number() }).safeParse(data);
  return parsed.success ? parsed.data.exitCode : null;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
