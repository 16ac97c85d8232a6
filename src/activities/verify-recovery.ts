import { setTimeout as delay } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/common';
import type { CheckResult } from '../domain/check';
import { errorText } from '../config/error-text';
import { dismissalOf } from '../domain/dismissal';
import { FAILURES } from '../domain/failures';
import { applyCheck, isFlapping } from '../domain/health';
import type { InvariantHealth } from '../domain/health';
import { pauseOf } from '../domain/pause';
import type { HealthTransition, RegisteredInvariant, RegistryState } from '../domain/registry';
import type { ControlSnapshot, ServiceStatus } from '../domain/service-state';
import { isNews } from '../domain/sweep';
import type { VerifyInput, VerifyResult } from '../workflows/contract';
import { whileHeartbeating } from './heartbeat';
import type { LookAtPorts } from './port-identity';
import type { Probe } from './probe';
import type { Samples } from './samples';

export interface VerifyDeps {
  readonly readRegistry: () => Promise<RegistryState>;
  readonly sendTransitions: (at: string, transitions: readonly HealthTransition[]) => Promise<void>;
  /** May reject: without the supervisor nothing is known of who should answer. */
  readonly snapshot: () => Promise<ControlSnapshot>;
  readonly probe: Probe;
  readonly lookAtPorts: LookAtPorts;
  readonly samples: Samples;
  readonly now: () => Date;
  readonly flappingProofMs?: number;
}

/** What goes down again and again must hold for so long. */
const FLAPPING_PROOF_MS = 30_000;

/**
 * The activity `verifyRecovery`: the ticket's invariant and those that joined hold `recover.successes` times in a row (30 s
 * long when flapping), and every other enabled invariant of the service once. Ends at the first failure. A paused one need not
 * hold, unless the ticket is its own. One that was removed or disabled meanwhile need not hold; when none is left the result is
 * recovered with a note, since nothing is broken any more that anybody watches. Throws CheckCouldNotRun.
 */
export function createVerifyRecovery(deps: VerifyDeps) {
  return async function verifyRecovery(input: VerifyInput): Promise<VerifyResult> {
    return await whileHeartbeating(async (signal) => {
      try {
        return await verify(deps, input, signal);
      } catch (error) {
        signal.throwIfAborted();
        throw couldNotRun(error);
      }
    });
  };
}

async function verify(deps: VerifyDeps, input: VerifyInput, signal: AbortSignal): Promise<VerifyResult> {
  const [registry, services] = await Promise.all([
    deps.readRegistry(),
    deps.snapshot().then(
      (snapshot) => snapshot.services,
      () => [],
    ),
  ]);
  const startedAt = deps.now().toISOString();
  const enabled = Object.values(registry.invariants).filter(
    ({ definition }) =>
      definition.enabled &&
      (definition.id === input.invariantId || !pauseOf(registry.pauses, definition, startedAt)),
  );
  const mustHold = new Set([input.invariantId, ...input.joined]);
  const required = enabled.filter(({ definition }) => mustHold.has(definition.id));
  const others = enabled.filter(
    ({ definition }) =>
      !mustHold.has(definition.id) &&
      input.service !== null &&
      definition.service === input.service &&
      // What a person dismissed may stay broken.
      dismissalOf(registry.dismissed, definition.id, startedAt) === null,
  );
  const probeAll = new Prober(deps, services, signal);

  const results = await Promise.all([
    ...required.map((invariant) =>
      probeAll.inARow(invariant, {
        successes: invariant.definition.recover.successes,
        ms: isFlapping(invariant.health, startedAt) ? (deps.flappingProofMs ?? FLAPPING_PROOF_MS) : 0,
      }),
    ),
    ...others.map((invariant) => probeAll.inARow(invariant, { successes: 1, ms: 0 })),
  ]);
  const at = deps.now().toISOString();
  const failing = results.flatMap(({ failed }) => (failed ? [failed] : []));
  const successes = Math.min(...results.slice(0, required.length).map((result) => result.successes));
  if (failing.length > 0) {
    return { recovered: false, at, successes: Number.isFinite(successes) ? successes : 0, failing };
  }
  // The state is to show the recovery now and not at the next sweep; a lost signal costs no more than that.
  const transitions = results.flatMap(({ transition }) => (transition ? [transition] : []));
  if (transitions.length > 0) await deps.sendTransitions(at, transitions).catch(() => undefined);
  if (required.length > 0) return { recovered: true, at, successes, failing: [] };
  const note = `nothing left to hold: ${[...mustHold].join(', ')} removed or disabled`;
  return { recovered: true, at, successes: 0, failing: [], note };
}

interface Row {
  readonly successes: number;
  readonly failed: CheckResult | null;
  readonly transition: HealthTransition | null;
}

class Prober {
  private hasFailed = false;
  constructor(
    private readonly deps: VerifyDeps,
    private readonly services: readonly ServiceStatus[],
    private readonly signal: AbortSignal,
  ) {}

  /** Probes until it held so often and so long in a row; one failure, of this invariant or another, ends it. */
  async inARow(
    invariant: RegisteredInvariant,
    wanted: { readonly successes: number; readonly ms: number },
  ): Promise<Row> {
    const { definition } = invariant;
    const policy = {
      attempts: definition.confirm.attempts,
      successes: definition.recover.successes,
      confirmed: false,
    };
    let health = invariant.health;
    let successes = 0;
    let tookMs = 0;
    const until = performance.now() + wanted.ms;
    while ((successes < wanted.successes || performance.now() < until) && !this.hasFailed) {
      // Spacing is from start to start, as in a sweep.
      const pauseMs = Math.max(0, definition.recover.spacingMs - tookMs);
      if (successes > 0) await delay(pauseMs, undefined, { signal: this.signal });
      const check = await this.deps.probe(invariant, {
        timeoutMs: definition.timeoutMs,
        signal: this.signal,
        // A proof does not rest on an earlier look.
        ownerOf: this.deps.lookAtPorts(this.services)(definition.service),
      });
      tookMs = check.latencyMs;
      this.deps.samples.add(check);
      health = applyCheck(health, check, policy);
      if (!check.ok) {
        this.hasFailed = true;
        return { successes, failed: check, transition: null };
      }
      successes += 1;
    }
    return { successes, failed: null, transition: toTransition(invariant, health) };
  }
}

function toTransition(invariant: RegisteredInvariant, health: InvariantHealth): HealthTransition | null {
  if (!isNews(invariant.health, health)) return null;
  return { invariantId: invariant.definition.id, revision: invariant.revision, health };
}

function couldNotRun(error: unknown): ApplicationFailure {
  const message = errorText(error);
  return ApplicationFailure.create({
    type: FAILURES.checkCouldNotRun,
    message: `the recovery could not be verified: ${message}`,
    ...(error instanceof Error ? { cause: error } : {}),
  });
}
