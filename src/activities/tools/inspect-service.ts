import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { ServiceConfig } from '../../config/config';
import type { Inspection } from '../../domain/inspection';
import type { FileChange } from '../../domain/known-good';
import { describeStranger } from '../../domain/port-owner';
import type { ServiceStatus } from '../../domain/service-state';
import { createEditConfinements, readEditableFiles } from '../editable-files';
import { changesSince, readLastGood } from '../known-good-store';
import type { Confinement } from './confined-path';
import { describeService } from './describe-service';
import type { Look } from './look-at-service';
import { look } from './look-at-service';
import { serviceOf } from './service-of';
import type { Tool, ToolDeps, ToolScope } from './tool';
import { defineTool, untilAborted } from './tool';

const LOG_LINES = 10;
const MAX_LINE_LENGTH = 500;
const LOOK_AGAIN_MS = 250;

const input = z.strictObject({
  service: z.string(),
  /** Looks again for so long, and answers as soon as something has changed. */
  wait_s: z.number().min(0).max(30).default(0),
});

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
      portOwner: found.portOwner,
      answersElsewhere: found.answersElsewhere,
      lastLines: lines,
      changed: [...changed],
    };
    return { content: describeLook(config, found, data), data };
  });
}

async function lookUntilChanged(
  deps: ToolDeps,
  config: ServiceConfig,
  scope: ToolScope,
  waitMs: number,
): Promise<Look> {
  const deadline = performance.now() + waitMs;
  const first = await firstLook(deps, config, scope, deadline);
  let latest = first;
  while (!latest.invariant?.ok && signature(latest) === signature(first)) {
    const leftMs = deadline - performance.now();
    if (leftMs <= 0) break;
    await sleep(Math.min(leftMs, LOOK_AGAIN_MS), undefined, { signal: scope.signal });
    latest = await look(deps, config, scope);
  }
  return latest;
}

/** A supervisor that is away for a moment is waited for as long as the caller would wait anyway. */
async function firstLook(
  deps: ToolDeps,
  config: ServiceConfig,
  scope: ToolScope,
  deadline: number,
): Promise<Look> {
  for (;;) {
    try {
      return await look(deps, config, scope);
    } catch (error) {
      if (scope.signal.aborted || performance.now() + LOOK_AGAIN_MS > deadline) throw error;
      await sleep(LOOK_AGAIN_MS, undefined, { signal: scope.signal });
    }
  }
}

/** What makes another step sensible. */
function signature({ service, process, starting, invariant, portOwner }: Look): string {
  const hasStranger = portOwner?.ours === false;
  return JSON.stringify([
    service?.state,
    service?.pid,
    process?.state === 'T',
    starting,
    invariant?.ok,
    hasStranger,
  ]);
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
  { name, ready }: ServiceConfig,
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
  if (found.starting) {
    const booted = `${Math.floor((found.ageMs ?? 0) / 1_000)} of ${ready.timeoutMs / 1_000} s`;
    parts.push(`It is within its boot time (${booted}): wait for it rather than restart it.`);
  }
  if (found.answersElsewhere) parts.push('Its readiness URL answers: the check itself may be wrong.');
  if (invariant) {
    const verdict = invariant.ok ? 'holds' : `fails: ${invariant.error ?? 'the condition is false'}`;
    parts.push(`invariant ${invariant.invariantId} ${verdict} (${invariant.latencyMs} ms, ${invariant.at})`);
  } else {
    parts.push('invariant: could not be probed');
  }
  for (const { path, change } of changed) parts.push(`${change} since it last worked: ${path}`);
  if (controllable && service) parts.push(`to act, pass "expect": ${JSON.stringify(expectationOf(service))}`);
  if (found.portOwner?.ours === false) {
    parts.push(`${describeStranger(found.portOwner, name)}; do not act on it, ask a person`);
  }
  parts.push(lines.length > 0 ? `last log lines:\n${lines.join('\n')}` : 'no stored log lines');
  return parts.join('\n');
}

function expectationOf(service: ServiceStatus): object | string {
  return service.pid === null ? 'exited' : { pid: service.pid, started_at: service.startedAt };
}
