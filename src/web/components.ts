import type { TemporalAccess } from '../client/temporal';
import { errorText } from '../config/error-text';
import type { Control, ControlSnapshot } from '../domain/service-state';
import { QUEUES } from '../workflows/contract';
import type { Component } from './dependencies';
import { lastPoll, lastSweep } from './temporal-health';
import type { LastSweep } from './temporal-health';

export interface ComponentFacts {
  /** Null: Temporal answers; else why not. */
  readonly temporalError: string | null;
  readonly lastSweep: LastSweep | null;
  /** When an agent last asked for work; null when none does. */
  readonly agentAskedAt: Date | null;
  /** Null: no supervisor answers. */
  readonly snapshot: ControlSnapshot | null;
}

const DEADLINE_MS = 2_500;

/** Asks everybody at once, for at most 2.5 s. Never rejects: not answering is the answer. */
export async function readComponents(
  access: TemporalAccess,
  control: Control,
  { intervalMs, now }: { readonly intervalMs: number; readonly now: () => Date },
): Promise<readonly Component[]> {
  const [temporal, snapshot] = await Promise.all([
    access.connection
      .withDeadline(Date.now() + DEADLINE_MS, async () => ({
        temporalError: null,
        ...(await readTemporal(access)),
      }))
      .catch((error: unknown) => ({
        temporalError: errorText(error),
        lastSweep: null,
        agentAskedAt: null,
      })),
    control.snapshot().catch(() => null),
  ]);
  return judgeComponents({ ...temporal, snapshot }, intervalMs, now());
}

async function readTemporal(access: TemporalAccess) {
  const [sweep, agentAskedAt] = await Promise.all([lastSweep(access), lastPoll(access, QUEUES.agent)]);
  return { lastSweep: sweep, agentAskedAt };
}

/** What the facts mean for each component. */
export function judgeComponents(facts: ComponentFacts, intervalMs: number, now: Date): readonly Component[] {
  if (facts.temporalError !== null) {
    const unknown = 'not known while Temporal does not answer';
    return [
      { name: 'temporal', status: 'down', detail: `does not answer: ${facts.temporalError}` },
      { name: 'monitor', status: 'down', detail: unknown },
      { name: 'agent', status: 'degraded', detail: unknown },
      judgeSupervisor(facts.snapshot),
    ];
  }
  return [
    { name: 'temporal', status: 'ok', detail: 'answers' },
    judgeMonitor(facts, intervalMs, now),
    judgeAgent(facts),
    judgeSupervisor(facts.snapshot),
  ];
}

function judgeMonitor(facts: ComponentFacts, intervalMs: number, now: Date): Component {
  const sweep = facts.lastSweep;
  const ended = endOf(facts.snapshot, 'monitor', sweep?.at ?? null);
  if (ended !== null) return { name: 'monitor', status: 'down', detail: `the process ${ended}` };
  if (!sweep) return { name: 'monitor', status: 'down', detail: 'no sweep has ended yet' };
  if (sweep.outcome === 'failed') {
    return { name: 'monitor', status: 'down', detail: `the checks could not run: ${sweep.reason}` };
  }
  const ageMs = now.getTime() - sweep.at.getTime();
  const age = `the last sweep ended ${(Math.max(ageMs, 0) / 1_000).toFixed(1)} s ago`;
  if (ageMs < 3 * intervalMs) return { name: 'monitor', status: 'ok', detail: age };
  return { name: 'monitor', status: 'down', detail: `${age}; one is due every ${intervalMs / 1_000} s` };
}

function judgeAgent({ snapshot, agentAskedAt }: ComponentFacts): Component {
  const ended = endOf(snapshot, 'agent', agentAskedAt);
  if (ended !== null)
    return { name: 'agent', status: 'degraded', detail: `the process ${ended}; tickets wait` };
  if (agentAskedAt) return { name: 'agent', status: 'ok', detail: 'takes tickets' };
  return {
    name: 'agent',
    status: 'degraded',
    detail: `nobody asks for work of ${QUEUES.agent}; tickets wait`,
  };
}

function judgeSupervisor(snapshot: ControlSnapshot | null): Component {
  if (snapshot) return { name: 'supervisor', status: 'ok', detail: 'answers' };
  const detail = 'does not answer; services cannot be started or stopped';
  return { name: 'supervisor', status: 'degraded', detail };
}

/** The server learns of a poller's death a moment later than the supervisor. */
const LAST_BREATH_MS = 1_000;

/**
 * The supervisor knows at once when one of its processes ends; the server only when it stops asking. Null also when another
 * process has been at work since, such as one that a person started in its place.
 */
function endOf(snapshot: ControlSnapshot | null, name: string, lastSeen: Date | null): string | null {
  const component = snapshot?.components.find((one) => one.name === name);
  if (!component || component.state === 'running' || component.state === 'starting') return null;
  const { exit } = component;
  if (exit && lastSeen && lastSeen.getTime() > Date.parse(exit.at) + LAST_BREATH_MS) return null;
  const how = exit ? ` (${exit.signal ?? `exit code ${exit.code ?? 'unknown'}`}, ${exit.at})` : '';
  return `has ${component.state === 'stopped' ? 'been stopped' : 'ended'}${how}`;
}
