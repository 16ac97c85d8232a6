import { setTimeout as sleep } from 'node:timers/promises';
import type { ServiceConfig } from '../../config/config';
import type { CheckResult } from '../../domain/check';
import { looksMisaddressed } from '../../domain/check';
import type { PortOwner } from '../../domain/port-owner';
import type { ServiceStatus } from '../../domain/service-state';
import type { OwnerOf } from '../port-identity';
import { ownerOfReadyPort } from '../port-identity';
import { probeHttp } from '../probe-http';
import type { ProcessFacts } from './process-facts';
import { readProcessFacts } from './process-facts';
import { explainControlError } from './service-control';
import type { ToolDeps, ToolScope } from './tool';
import { untilAborted } from './tool';

/** Processor use is measured over at least this long. */
const CPU_WINDOW_MS = 100;
/** For a readiness URL, and for a process that is stopped and therefore cannot answer. */
const SHORT_LIMIT_MS = 700;

/** A service in one moment, as supervisor, kernel and check have it. */
export interface Look {
  readonly service: ServiceStatus | null;
  readonly process: (ProcessFacts & { readonly cpuPercent: number | null }) | null;
  readonly invariant: CheckResult | null;
  readonly starting: boolean;
  /** Since the process began; null without one. */
  readonly ageMs: number | null;
  readonly portOwner: PortOwner | null;
  readonly answersElsewhere: boolean;
}

/** Looks once. Changes nothing; throws ToolProblem while the supervisor is away. */
export async function look(
  deps: ToolDeps,
  config: ServiceConfig,
  { signal, ticket }: Pick<ToolScope, 'signal' | 'ticket'>,
): Promise<Look> {
  const snapshot = await untilAborted(deps.control.snapshot(), signal).catch(explainControlError);
  const service = snapshot.services.find((candidate) => candidate.name === config.name) ?? null;
  const pid = service?.pid ?? null;
  const ownerOf = deps.lookAtPorts(snapshot.services)(config.name);
  let portOwner: PortOwner | null = null;
  const remember: OwnerOf = (remote) => (portOwner = ownerOf(remote));
  const probe: ProbeWithin = (limitMs) =>
    untilAborted(deps.probe(ticket.invariantId, remember, limitMs), signal);
  const [process, first] = await Promise.all([
    pid === null ? null : measure(pid, signal),
    pid === null ? probe() : probeLiving(pid, probe),
  ]);
  const isInDoubt = first?.ok === false && pid !== null && looksMisaddressed(first);
  const isReady = isInDoubt && (await answers(config.ready.url, signal));
  // It may have come back between the two.
  const invariant = isReady ? await probe() : first;
  const ageMs = ageOf(service, process, deps.now());
  return {
    service,
    process,
    invariant,
    starting: isStarting(service, process, config, ageMs),
    ageMs,
    portOwner: portOwner ?? ownerOfReadyPort(config, ownerOf),
    answersElsewhere: isReady && invariant?.ok === false,
  };
}

type ProbeWithin = (limitMs?: number) => Promise<CheckResult | null>;

/** A stopped process is not waited for as long as one that may answer; if it is let go on meanwhile, it gets the whole time. */
async function probeLiving(pid: number, probe: ProbeWithin): Promise<CheckResult | null> {
  if (!(await isStopped(pid))) return probe();
  const quick = await probe(SHORT_LIMIT_MS);
  return quick?.ok === false && !(await isStopped(pid)) ? probe() : quick;
}

async function isStopped(pid: number): Promise<boolean> {
  return (await readProcessFacts(pid))?.state === 'T';
}

/** A service that is fine where it says it is, while its check fails: then the check is worth a doubt. */
async function answers(url: string | null, signal: AbortSignal): Promise<boolean> {
  if (url === null) return false;
  const request = { method: 'GET', headers: {}, body: null, followRedirects: 0 } as const;
  const { status = 0 } = await probeHttp(new URL(url), request, { timeoutMs: SHORT_LIMIT_MS, signal });
  return status >= 200 && status < 300;
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
  ageMs: number | null,
): boolean {
  if (!service || ageMs === null || service.ready || process?.state === 'Z') return false;
  return ageMs < config.ready.timeoutMs;
}

/** The kernel's age, where there is one, is not moved by somebody who sets the clock. */
function ageOf(service: ServiceStatus | null, process: ProcessFacts | null, now: Date): number | null {
  if (!service || service.pid === null || service.startedAt === null) return null;
  return process?.ageMs ?? now.getTime() - Date.parse(service.startedAt);
}
