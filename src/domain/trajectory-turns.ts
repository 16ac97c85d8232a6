import type { HistoryEvent } from './history-event';
import { isRecord } from './json';
import type { Json } from './json';
import type { Brain } from './ticket';
import type { ToolCall } from './tool';
import type { TrajectoryCall, TrajectoryTurn } from './trajectory';
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
      for (const { call, result, startedAt } of [...turn.calls].reverse()) {
        if (call.name !== 'update_ticket_status' || call.input['status'] !== 'blocked') continue;
        // What the tool returned is cleaned and masked; what the brain said is not.
        const { data } = result ?? { data: null };
        const text = (name: string) => readText(isRecord(data) ? data[name] : null) ?? '';
        return { at: startedAt ?? turn.startedAt, reason: text('reason'), report: text('report') };
      }
    }
    return null;
  }

  private unannounced(at: string, brain: Brain | null): Turn {
    const turn: Turn = { turn: 0, attempt: 1, brain, text: '', startedAt: at, endedAt: at, calls: [] };
    this.list.push(turn);
    return turn;
  }
}

export function newCall(call: ToolCall): Mutable<TrajectoryCall> {
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
