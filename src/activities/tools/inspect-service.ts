import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { ServiceConfig } from '../../config/config';
import type { CheckResult } from '../../domain/check';
import type { Inspection } from '../../domain/inspection';
import type { FileChange } from '../../domain/known-good';
import type { ServiceStatus } from '../../domain/service-state';
import { createEditConfinements, readEditableFiles } from '../editable-files';
import { changesSince, readLastGood } from '../known-good-store';
import type { Confinement } from './confined-path';
import { describeService } from './describe-service';
import type { ProcessFacts } from './process-facts';
import { readProcessFacts } from './process-facts';
import { explainControlError } from './service-control';
import { serviceOf } from './service-of';
import type { Tool, ToolDeps, ToolScope } from './tool';
import { defineTool, untilAborted } from './tool';

const LOG_LINES = 10;
const MAX_LINE_LENGTH = 500;
/** Processor use is measured over at least this long. */
const CPU_WINDOW_MS = 100;
const LOOK_AGAIN_MS = 250;

const input = z.strictObject({
  service: z.string(),
  /** Looks again for so long, and answers as soon as something has changed. */
  wait_s: z.number().min(0).max(30).default(0),
});

interface Look {
  readonly service: ServiceStatus | null;
  readonly process: (ProcessFacts & { readonly cpuPercent: number | null }) | null;
  readonly invariant: CheckResult | null;
  readonly starting: boolean;
}

/** What the supervisor, the kernel, the invariant and the log say about a service right now. Changes nothing. */
export function createInspectService(deps: ToolDeps): Tool {
  const confinements = createEditConfinements(deps.services);
  return defineTool('inspect_service', input, async ({ service: name, wait_s: waitSeconds }, scope) => {
    const config = serviceOf(deps.services, name);
    const found = await lookUntilChanged(deps, config, scope, waitSeconds * 1_000);
    const [lines, changed] = await Promise.all([
      readLastLines(deps, name, scope.signal),
      readChanges(deps, config, confinements.get(name), scope.signal),
    ]);
    const data: Inspection = {
      service: found.service && { ...found.service, exit: found.service.exit && { ...found.service.exit } },
      controllable: config.command !== null,
      process: found.process && { ...found.process },
      invariant: found.invariant,
      starting: found.starting,
      lastLines: lines,
      changed: [...changed],
    };
    return { content: describeLook(name, found, data), data };
  });
}

async function lookUntilChanged(
  deps: ToolDeps,
  config: ServiceConfig,
  scope: ToolScope,
  waitMs: number,
): Promise<Look> {
  const deadline = performance.now() + waitMs;
  const first = await look(deps, config, scope);
  let latest = first;
  while (!latest.invariant?.ok && signature(latest) === signature(first)) {
    const leftMs = deadline - performance.now();
    if (leftMs <= 0) break;
    await sleep(Math.min(leftMs, LOOK_AGAIN_MS), undefined, { signal: scope.signal });
    latest = await look(deps, config, scope);
  }
  return latest;
}

/** What makes another step sensible. */
function signature({ service, process, starting, invariant }: Look): string {
  return JSON.stringify([service?.state, service?.pid, process?.state === 'T', starting, invariant?.ok]);
}

async function look(deps: ToolDeps, config: ServiceConfig, scope: ToolScope): Promise<Look> {
  const { signal, ticket } = scope;
  const snapshot = await untilAborted(deps.control.snapshot(), signal).catch(explainControlError);
  const service = snapshot.services.find((candidate) => candidate.name === config.name) ?? null;
  const pid = service?.pid ?? null;
  const [process, invariant] = await Promise.all([
    pid === null ? null : measure(pid, signal),
    untilAborted(deps.probe(ticket.invariantId), signal),
  ]);
  return { service, process, invariant, starting: isStarting(service, process, config, deps.now()) };
}

async function measure(pid: number, signal: AbortSignal): Promise<Look['process']> {
  const before = await readProcessFacts(pid);
  if (!before) return null;
  const startedAt = performance.now();
  await sleep(CPU_WINDOW_MS, undefined, { signal });
  const after = await readProcessFacts(pid);
  if (!after) return { ...before, cpuPercent: null };
  const cpuPercent = ((after.cpuMs - before.cpuMs) / (performance.now() - startedAt)) * 100;
  return { ...after, cpuPercent: Math.max(0, Math.round(cpuPercent)) };
}

/** Alive, never ready since its start, and within its boot time. One that was ready and fell silent is not starting. */
function isStarting(
  service: ServiceStatus | null,
  process: ProcessFacts | null,
  config: ServiceConfig,
  now: Date,
): boolean {
  if (!service || service.pid === null || service.startedAt === null || service.ready) return false;
  if (process?.state === 'Z') return false;
  return now.getTime() - Date.parse(service.startedAt) < config.ready.timeoutMs;
}

async function readLastLines(deps: ToolDeps, service: string, signal: AbortSignal): Promise<string[]> {
  try {
    const { lines } = await untilAborted(deps.readLogs(deps.dataDir, service, { limit: LOG_LINES }), signal);
    return lines.map(({ at, line }) => `${at} ${line.slice(0, MAX_LINE_LENGTH)}`);
  } catch (error) {
    // Missing logs must not hide what the process does.
    if (signal.aborted) throw error;
    deps.log.warn({ err: error, service }, 'stored log lines cannot be read');
    return [];
  }
}

/** What cannot be compared must not hide what the process does. */
async function readChanges(
  deps: ToolDeps,
  config: ServiceConfig,
  confinement: Confinement | undefined,
  signal: AbortSignal,
): Promise<readonly FileChange[]> {
  if (config.files.edit.length === 0) return [];
  try {
    const files = await readEditableFiles(confinement, signal);
    return changesSince(await readLastGood(deps.dataDir, config.name, config.files.edit), files);
  } catch (error) {
    if (signal.aborted) throw error;
    deps.log.warn({ err: error, service: config.name }, 'editable files cannot be compared');
    return [];
  }
}

function describeLook(
  name: string,
  found: Look,
  { lastLines: lines, controllable, changed }: Inspection,
): string {
  const { service, process, invariant } = found;
  const parts = [service ? describeService(service) : `${name}: the harness does not run it`];
  if (process) {
    const cpu = process.cpuPercent === null ? '' : `, ${process.cpuPercent} % of a core`;
    const mib = Math.round(process.rssBytes / 1024 / 1024);
    parts.push(
      `process: state ${process.state}${cpu}, ${process.threads} threads, ${mib} MiB, ${process.ageMs} ms old`,
    );
  }
  if (found.starting) parts.push('It is within its boot time: wait for it rather than restart it.');
  if (invariant) {
    const verdict = invariant.ok ? 'holds' : `fails: ${invariant.error ?? 'the condition is false'}`;
    parts.push(`invariant ${invariant.invariantId} ${verdict} (${invariant.latencyMs} ms, ${invariant.at})`);
  } else {
    parts.push('invariant: could not be probed');
  }
  for (const { path, change } of changed) parts.push(`${change} since it last worked: ${path}`);
  if (controllable && service) parts.push(`to act, pass "expect": ${JSON.stringify(expectationOf(service))}`);
  parts.push(lines.length > 0 ? `last log lines:\n${lines.join('\n')}` : 'no stored log lines');
  return parts.join('\n');
}

function expectationOf(service: ServiceStatus): object | string {
  return service.pid === null ? 'exited' : { pid: service.pid, started_at: service.startedAt };
}
