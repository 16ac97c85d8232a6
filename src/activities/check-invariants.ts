import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/common';
import { errorText } from '../config/error-text';
import { FAILURES } from '../domain/failures';
import { applyCheck } from '../domain/health';
import type { Incident, OpenTicket } from '../domain/incident';
import { pauseOf } from '../domain/pause';
import type { RegisteredInvariant, RegistryState } from '../domain/registry';
import type { ControlSnapshot, ServiceStatus } from '../domain/service-state';
import { isExcused, secondLook } from '../domain/sweep';
import type { Observed } from '../domain/sweep';
import type { SweepInput, SweepReport } from '../workflows/contract';
import { MAX_NEW_INCIDENTS, triageWorkflowId } from '../workflows/contract';
import type { TakeFingerprint } from './fingerprint';
import { whileHeartbeating } from './heartbeat';
import type { LookAtPorts } from './port-identity';
import type { Probe } from './probe';
import { createProbePool } from './probe-pool';
import type { ProbePool } from './probe-pool';
import type { Samples } from './samples';
import { createServiceWatch } from './service-changes';
import { sweepReport } from './sweep-report';

/** A sweep ends by then; what is undecided goes on in the next one. */
const SWEEP_LIMIT_MS = 4_000;

export interface CheckDeps {
  readonly readRegistry: () => Promise<RegistryState>;
  /** May reject: without the supervisor nothing is known about desired states, and everything is probed. */
  readonly snapshot: () => Promise<ControlSnapshot>;
  readonly openTickets: () => Promise<readonly OpenTicket[]>;
  /** Workflow IDs of the triages at work; asked only when there is more to triage than one sweep may begin. */
  readonly openTriages: () => Promise<ReadonlySet<string>>;
  readonly probe: Probe;
  readonly lookAtPorts: LookAtPorts;
  readonly takeFingerprint: TakeFingerprint;
  readonly samples: Samples;
  readonly now: () => Date;
  readonly log: {
    readonly info: (message: string) => void;
    readonly error: (context: object, message: string) => void;
  };
  readonly concurrency: number;
  readonly sweepLimitMs?: number;
}

/**
 * The activity `checkInvariants`. A failing check is data; throws CheckCouldNotRun when the registry or the open tickets
 * cannot be read or this machine has no sockets left. What was not probed to an end is in no list.
 */
export function createCheckInvariants(deps: CheckDeps) {
  const pools = {
    sweep: createProbePool(deps.probe, deps.concurrency),
    // A check somebody waits for does not queue behind a thousand others.
    direct: () => createProbePool(deps.probe, deps.concurrency),
  };
  const speaker = createSpeaker(deps);
  const findChanges = createServiceWatch(deps.takeFingerprint);
  return async function checkInvariants(input: SweepInput): Promise<SweepReport> {
    return await whileHeartbeating(async (signal) => {
      try {
        const pool = input.scope.kind === 'all' ? pools.sweep : pools.direct();
        const report = await sweep({ ...deps, findChanges }, pool, input, signal);
        speaker.succeeded(input, report.at);
        return report;
      } catch (error) {
        signal.throwIfAborted();
        throw speaker.failed(error);
      }
    });
  };
}

interface SweepDeps extends CheckDeps {
  readonly findChanges: ReturnType<typeof createServiceWatch>;
}

async function sweep(
  deps: SweepDeps,
  pool: ProbePool,
  input: SweepInput,
  signal: AbortSignal,
): Promise<SweepReport> {
  const deadline = performance.now() + (deps.sweepLimitMs ?? SWEEP_LIMIT_MS);
  const [registry, services] = await Promise.all([deps.readRegistry(), readServices(deps)]);
  const all = Object.values(registry.invariants);
  deps.samples.keepOnly(new Set(all.map(({ definition }) => definition.id)));
  const startedAt = deps.now().toISOString();
  const watched = all.filter(
    ({ definition }) =>
      definition.enabled &&
      !isExcusedBy(services, definition.service) &&
      !pauseOf(registry.pauses, definition, startedAt),
  );
  const targets = byOldestSample(selectTargets(input, all, watched), deps.samples);

  const stop = new AbortController();
  const probing = AbortSignal.any([signal, stop.signal]);
  // Every probe under way listens to it.
  setMaxListeners(0, probing);
  const watch = {
    deps,
    pool,
    deadline,
    confirmed: input.confirmed,
    ownerOf: deps.lookAtPorts(services.values()),
    signal: probing,
  };
  let observed: Observed[];
  try {
    const results = await Promise.all(targets.map((target) => observe(watch, target)));
    observed = results.filter((result) => result !== null);
  } catch (error) {
    stop.abort(error);
    throw error;
  }
  const openTickets = await deps.openTickets();
  // A person may have spoken while this sweep probed. Read after the tickets: a dismissed ticket that has closed by then was
  // recorded as dismissed before.
  const isQuiet = observed.every(({ health }) => health.state !== 'down');
  const [word, servicesNow] = isQuiet
    ? [registry, services]
    : await Promise.all([deps.readRegistry(), readServices(deps)]);
  // A service that was stopped while it was being probed did not fail.
  const stillWatched = watched.filter(({ definition }) => !isExcusedBy(servicesNow, definition.service));
  const downIds = new Set(
    observed.filter(({ health }) => health.state === 'down').map(({ check }) => check.invariantId),
  );
  const changes = await deps.findChanges(
    openTickets,
    (invariantId) => downIds.has(invariantId),
    [...servicesNow.values()],
    signal,
  );
  const at = deps.now().toISOString();
  const found = sweepReport({ at, input, watched: stillWatched, observed, openTickets, changes, word });
  return { ...found, incidents: await upNext(deps, found.incidents) };
}

function isExcusedBy(services: ReadonlyMap<string, ServiceStatus>, service: string | null): boolean {
  return service !== null && isExcused(services.get(service));
}

async function readServices(deps: CheckDeps): Promise<ReadonlyMap<string, ServiceStatus>> {
  try {
    const { services } = await deps.snapshot();
    return new Map(services.map((service) => [service.name, service]));
  } catch {
    return new Map();
  }
}

/** Whoever asks for one invariant gets it probed, also a disabled one; that changes no state. */
function selectTargets(
  { scope }: SweepInput,
  all: readonly RegisteredInvariant[],
  watched: readonly RegisteredInvariant[],
): readonly RegisteredInvariant[] {
  switch (scope.kind) {
    case 'all':
      return watched;
    case 'service':
      return watched.filter(({ definition }) => definition.service === scope.service);
    case 'invariant':
      return all.filter(({ definition }) => definition.id === scope.invariantId);
  }
}

/** When there are more hung targets than places, those probed last wait: nobody is starved. */
function byOldestSample(targets: readonly RegisteredInvariant[], samples: Samples): RegisteredInvariant[] {
  const turn = ({ definition }: RegisteredInvariant): number => samples.turnOf(definition.id);
  return [...targets].sort((a, b) => turn(a) - turn(b));
}

interface Watch {
  readonly deps: CheckDeps;
  readonly pool: ProbePool;
  readonly deadline: number;
  readonly confirmed: boolean;
  readonly ownerOf: ReturnType<LookAtPorts>;
  readonly signal: AbortSignal;
}

/** Probes until the state is decided or the sweep must end; null when not even one answer came in time. */
async function observe(watch: Watch, target: RegisteredInvariant): Promise<Observed | null> {
  const { definition } = target;
  const policy = {
    attempts: definition.confirm.attempts,
    successes: definition.recover.successes,
    confirmed: watch.confirmed,
  };
  const ownerOf = watch.ownerOf(definition.service);
  let observed: Observed | null = null;
  for (let timeoutMs = definition.timeoutMs; ;) {
    const check = await watch.pool.run(target, { timeoutMs, signal: watch.signal, ownerOf }, watch.deadline);
    if (!check) return observed;
    watch.deps.samples.add(check);
    const health: Observed['health'] = applyCheck(observed?.health ?? target.health, check, policy);
    observed = { before: target, health, check };
    const again = secondLook(health, definition, check.latencyMs);
    if (!again || performance.now() + again.afterMs >= watch.deadline) return observed;
    await delay(again.afterMs, undefined, { signal: watch.signal });
    timeoutMs = again.timeoutMs;
  }
}

/** In a storm those at work must not take the places of those that wait, or a slow triage would hold up all after it. */
async function upNext(deps: CheckDeps, incidents: readonly Incident[]): Promise<readonly Incident[]> {
  if (incidents.length <= MAX_NEW_INCIDENTS) return incidents;
  const atWork = await deps.openTriages();
  return incidents.filter((incident) => !atWork.has(triageWorkflowId(incident))).slice(0, MAX_NEW_INCIDENTS);
}

/** Says once when checks stop working and once when they work again, not at every sweep. */
function createSpeaker({ samples, log }: CheckDeps) {
  let isBroken = false;
  return {
    succeeded(input: SweepInput, at: string): void {
      if (input.scope.kind === 'all') samples.sweepEnded(at);
      if (isBroken) log.info('checks run again');
      isBroken = false;
    },
    failed(error: unknown): ApplicationFailure {
      const message = errorText(error);
      samples.sweepFailed(message);
      if (!isBroken)
        log.error({ err: error }, `checks cannot run, nothing is known of any service: ${message}`);
      isBroken = true;
      return ApplicationFailure.create({
        type: FAILURES.checkCouldNotRun,
        message: `the checks could not run: ${message}`,
        ...(error instanceof Error ? { cause: error } : {}),
      });
    },
  };
}
