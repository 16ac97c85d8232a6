import type { HistoryEvent } from './history-event';
import { isRecord } from './json';
import type { Json } from './json';
import type { Brain } from './ticket';
import type { ToolCall } from './tool';
import type { TrajectoryCall, TrajectoryTurn } from './trajectory';
import type { ReadProposal } from './trajectory-payloads';
import { readCallInput, readText } from './trajectory-payloads';
import type { EscalationReport } from './trajectory-status';

export type Mutable<T> = { -readonly [K in keyof T]: T[K] };
export type Turn = Mutable<Omit<TrajectoryTurn, 'calls'>> & { calls: Mutable<TrajectoryCall>[] };

/** The turns of a trajectory while it is being folded. */
export class TrajectoryTurns {
  readonly list: Turn[] = [];

  /** The call an activity is about; one that no proposal announced is kept too, so that nothing that ran is hidden. */
  callOf(
    event: Extract<HistoryEvent, { type: 'activity_scheduled' }>,
    input: Json | undefined,
    brain: Brain | null,
  ): Mutable<TrajectoryCall> {
    const call = readCallInput(input) ?? { id: `event-${event.id}`, name: event.activity, input: {} };
    const turn = this.list.at(-1) ?? this.unannounced(event.at, brain);
    const known = turn.calls.find((entry) => entry.call.id === call.id && entry.endedAt === null);
    if (known) return known;
    const added = newCall(call);
    turn.calls.push(added);
    return added;
  }

  /** The last report with which a brain asked for a person. */
  lastReport(): EscalationReport | null {
    for (const turn of [...this.list].reverse()) {
      const report = reportOf(turn);
      if (report) return report;
    }
    return null;
  }

  private unannounced(at: string, brain: Brain | null): Turn {
    const turn: Turn = {
      turn: 0,
      attempt: 1,
      brain,
      model: null,
      text: '',
      startedAt: at,
      endedAt: at,
      calls: [],
    };
    this.list.push(turn);
    return turn;
  }
}

/** The report with which a turn asked for a person; null when it did not. */
export function reportOf({ calls, startedAt: begunAt }: Turn): EscalationReport | null {
  for (const { call, decision, result, startedAt } of [...calls].reverse()) {
    if (call.name !== 'update_ticket_status' || call.input['status'] !== 'blocked') continue;
    if (decision?.verdict === 'deny') continue;
    // What the tool returned is cleaned and masked; what the brain said is not.
    const { data } = result ?? { data: null };
    const text = (name: string) => readText(isRecord(data) ? data[name] : null) ?? '';
    return { at: startedAt ?? begunAt, reason: text('reason'), report: text('report') };
  }
  return null;
}

/**
 * What came of a turn. Calls that are answered without being run are refused ones; `asked` has what they asked for, as far as
 * the reply tells it.
 */
export function answerTurn(turn: Turn, proposal: ReadProposal, asked: readonly ToolCall[]): void {
  turn.brain = proposal.brain ?? turn.brain;
  turn.model = proposal.model;
  turn.text = proposal.text;
  turn.calls = [
    ...proposal.calls.map((call, index) => ({
      ...newCall(call),
      decision: proposal.decisions[index] ?? null,
    })),
    ...proposal.unrun.map(({ callId, tool, content }) => ({
      ...newCall(asked.find(({ id }) => id === callId) ?? { id: callId, name: tool, input: {} }),
      decision: { verdict: 'deny' as const, rule: 'not run', reason: content.replace(/^Refused: /, '') },
    })),
  ];
}

/** The line of the timeline for a turn. */
export function describeAnswer(
  { turn, text, calls }: Turn,
  proposal: ReadProposal | null,
): { readonly title: string; readonly detail: string } {
  const { handOver = null, isFinished = false } = proposal ?? {};
  const names = calls.map(({ call }) => describeCall(call)).join('; ');
  const without = handOver !== null ? 'cannot go on' : isFinished ? 'says that it is done' : 'no call';
  return {
    title: `turn ${turn}: ${names || without}`,
    detail: [text, handOver ?? ''].filter((line) => line !== '').join('\n'),
  };
}

function newCall(call: ToolCall): Mutable<TrajectoryCall> {
  return { call, decision: null, result: null, failure: null, startedAt: null, endedAt: null };
}

/** `service_control restart rate_limiter`: the name and its short text arguments. */
export function describeCall(call: ToolCall): string {
  const words = ['action', 'service', 'status', 'path', 'command'].flatMap((key) => {
    const value = call.input[key];
    return typeof value === 'string' ? [value.slice(0, 60)] : [];
  });
  return [call.name, ...words].join(' ');
}
