import { errorText } from '../config/error-text';
import type { CheckFailure, CheckResult } from '../domain/check';
import { compileCondition, evaluateCondition } from '../domain/condition';
import type { CompiledCondition, CompileResult, ConditionValues } from '../domain/condition';
import type { InvariantDefinition, ProbeRequest } from '../domain/invariant';
import type { Json } from '../domain/json';
import { describeStranger } from '../domain/port-owner';
import type { PortOwner } from '../domain/port-owner';
import type { OwnerOf } from './port-identity';
import { probeHttp } from './probe-http';
import { probeTcp } from './probe-tcp';
import { parseTarget } from './probe-target';
import type { Observation, ProbeTarget } from './probe-target';

export interface ProbeOptions {
  /** Covers everything: name resolution, connection, head and body. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Asked once connected: whoever is not the service's own fails the check, whatever it answered. */
  readonly ownerOf?: OwnerOf;
}

/** Probes one invariant once. Whatever the target does is data; rejects only with ProbeCouldNotRun or the signal's reason. */
export type Probe = (
  invariant: { readonly definition: InvariantDefinition; readonly revision: number },
  options: ProbeOptions,
) => Promise<CheckResult>;

export interface ProbeDeps {
  readonly now: () => Date;
  /** Resolves `${env:NAME}` in a header value right before it is sent. */
  readonly resolveSecret: (value: string) => string;
  /** Errors go into Temporal's history. */
  readonly redact: (text: string) => string;
}

const MAX_ERROR = 500;

export function createProbe({ now, resolveSecret, redact }: ProbeDeps): Probe {
  const compile = memoize(compileCondition);
  return async ({ definition, revision }, options) => {
    const finish = (
      outcome: { readonly ok: boolean; readonly error: string | null },
      observation: Observation | null,
      owner: PortOwner | null = null,
    ): CheckResult => ({
      invariantId: definition.id,
      revision,
      at: now().toISOString(),
      ok: outcome.ok,
      latencyMs: round(observation?.latencyMs ?? 0),
      resolved: {
        ...(observation ? scalars(observation, redact) : {}),
        ...(owner ? { owner_pid: owner.pid } : {}),
      },
      error: outcome.error === null ? null : redact(outcome.error).slice(0, MAX_ERROR),
      ...(outcome.ok ? {} : { failure: failureOf(observation) }),
    });
    const target = parseTarget(definition.query);
    if (!target) {
      const error = `query "${definition.query}" is not http(s)://, latency:http(s):// or tcp://host:port`;
      return finish({ ok: false, error }, null);
    }
    const compiled = compile(definition.condition);
    if (!compiled.ok) {
      const error = `condition "${definition.condition}" cannot be used: ${compiled.message}`;
      return finish({ ok: false, error }, null);
    }
    let request: ProbeRequest;
    try {
      request = withSecrets(definition.request, resolveSecret);
    } catch (error) {
      return finish({ ok: false, error: errorText(error) }, null);
    }
    const observation = withValue(target, await observe(target, request, options));
    const owner = observation.remote ? (options.ownerOf?.(observation.remote) ?? null) : null;
    const outcome =
      owner?.ours === false
        ? { ok: false, error: describeStranger(owner, definition.service ?? 'the service') }
        : judge(compiled.condition, observation);
    return finish(outcome, observation, owner);
  };
}

function failureOf(observation: Observation | null): CheckFailure {
  if (observation === null || observation.isCheckBroken === true) return 'check_broken';
  return observation.error === null ? 'wrong_answer' : 'no_answer';
}

function withSecrets(request: ProbeRequest, resolveSecret: (value: string) => string): ProbeRequest {
  const headers = Object.entries(request.headers).map(
    ([name, value]) => [name, resolveSecret(value)] as const,
  );
  return { ...request, headers: Object.fromEntries(headers) };
}

function observe(target: ProbeTarget, request: ProbeRequest, options: ProbeOptions): Promise<Observation> {
  switch (target.kind) {
    case 'http':
      return probeHttp(target.url, request, options);
    case 'tcp':
      return probeTcp(target, options);
  }
}

function withValue(target: ProbeTarget, observation: Observation): Observation {
  return target.kind === 'http' && target.value === 'latency'
    ? { ...observation, value: round(observation.latencyMs) }
    : observation;
}

/**
 * A probe that broke off fails, whatever the condition makes of the rest (a refused connection is quick, and `< 200` would
 * hold). Only a condition that speaks about `error`, or about `connected` when there was no connection, may say otherwise.
 */
function judge(
  condition: CompiledCondition,
  observation: Observation,
): { readonly ok: boolean; readonly error: string | null } {
  const { error, connected } = observation;
  const mayJudge = condition.variables.has('error') || (!connected && condition.variables.has('connected'));
  if (error !== null && !mayJudge) return { ok: false, error };
  const outcome = evaluateCondition(condition, conditionValues(condition, observation));
  return outcome.ok || error === null ? outcome : { ok: false, error };
}

function conditionValues(condition: CompiledCondition, seen: Observation): ConditionValues {
  return {
    connected: seen.connected,
    error: seen.error ?? '',
    latency_ms: round(seen.latencyMs),
    status: seen.status ?? 0,
    headers: seen.headers ?? {},
    body: seen.body ?? '',
    ...(condition.variables.has('json') ? { json: parseJson(seen.body ?? '') } : {}),
    ...(seen.value === undefined ? {} : { value: seen.value }),
    ...(seen.certDaysLeft === undefined ? {} : { cert_days_left: seen.certDaysLeft }),
  };
}

/** Numbers and flags only: bodies and headers may hold secrets and are large. */
function scalars(seen: Observation, redact: (text: string) => string): Record<string, Json> {
  return {
    connected: seen.connected,
    latency_ms: round(seen.latencyMs),
    ...(seen.status === undefined ? {} : { status: seen.status }),
    ...(seen.value === undefined ? {} : { value: seen.value }),
    ...(seen.certDaysLeft === undefined ? {} : { cert_days_left: round(seen.certDaysLeft) }),
    ...(seen.error === null ? {} : { error: redact(seen.error).slice(0, MAX_ERROR) }),
  };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function parseJson(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return null;
  }
}

/** Compiling costs more than evaluating, and a sweep evaluates the same conditions every few seconds. */
function memoize(compile: (text: string) => CompileResult): (text: string) => CompileResult {
  const known = new Map<string, CompileResult>();
  return (text) => {
    const hit = known.get(text);
    if (hit) return hit;
    if (known.size >= 5_000) known.clear();
    const result = compile(text);
    known.set(text, result);
    return result;
  };
}
