import type { CheckResult } from '../domain/check';
import { haveFilesChanged, hasProcessChanged, isCompletedBy } from '../domain/fingerprint';
import { isOvertaken } from '../domain/health';
import { failureClass } from '../domain/incident';
import { isRecord } from '../domain/json';
import type { AttemptCause } from '../domain/ticket';
import type { ToolResult } from '../domain/tool';
import type { AspectCarry, FailureCarry } from './ticket-carry';

export type Change = Extract<AttemptCause, `changed_${string}`>;

/**
 * Attempts that changes may begin until a person or the time begins one: a fault that changes its face for ever, or a process
 * that ends again and again, does not make the agent work for ever. Who tries one repair after another is followed for longer.
 */
const MAX_BEGUN: Readonly<Record<Change, number>> = {
  changed_failure: 3,
  changed_files: 20,
  changed_process: 3,
};
/** In the place of a failure: what a pause hid is not known, so any failure after it is news. */
const HIDDEN_BY_PAUSE = 'paused';

/** One text that says how something is: as it was last seen, as the brain last knew it, and what has been tried already. */
class Aspect {
  current: string | null = null;
  known: string | null = null;
  private readonly tried = new Set<string>();

  carry(): AspectCarry {
    return { current: this.current, known: this.known, tried: [...this.tried] };
  }

  takeOver({ current, known, tried }: AspectCarry): void {
    this.current = current;
    this.known = known;
    for (const text of tried) this.tried.add(text);
  }

  isNews(): boolean {
    const { current, known, tried } = this;
    return current !== null && current !== known && !tried.has(current);
  }

  setBoth(text: string): void {
    this.current = text;
    this.known = text;
  }

  markTried(): void {
    if (this.current !== null) this.tried.add(this.current);
    this.known = this.current;
  }

  forgetTried(): void {
    this.tried.clear();
  }
}

/** How the ticket's own invariant fails, and how its service was left when a person was asked. */
export class FailureWatch {
  private readonly failure = new Aspect();
  private readonly service = new Aspect();
  private readonly begun: Record<Change, number> = {
    changed_failure: 0,
    changed_files: 0,
    changed_process: 0,
  };
  private at = '';

  constructor(
    private readonly invariantId: string,
    first: CheckResult | null,
  ) {
    if (first) this.report(first);
    this.tellBrain();
  }

  carry(): FailureCarry {
    const { failure, service, begun, at } = this;
    return { failure: failure.carry(), service: service.carry(), begun: { ...begun }, at };
  }

  takeOver({ failure, service, begun, at }: FailureCarry): void {
    this.failure.takeOver(failure);
    this.service.takeOver(service);
    Object.assign(this.begun, begun);
    this.at = at;
  }

  /** What sweeps compare with what they see; null while nothing is known. */
  get published(): { readonly failure: string | null; readonly fingerprint: string | null } {
    return { failure: this.failure.current, fingerprint: this.service.current };
  }

  /** A check of any invariant; one that was overtaken says nothing. */
  report({ invariantId, ok, at, error }: Pick<CheckResult, 'invariantId' | 'ok' | 'at' | 'error'>): void {
    if (invariantId !== this.invariantId || ok || isOvertaken(this.at, at)) return;
    this.at = at;
    this.failure.current = failureClass(error);
  }

  /** A sweep saw that the service is not as it was left, or can tell what was not known then. */
  reportService(fingerprint: string): void {
    if (isCompletedBy(this.service.known, fingerprint)) this.service.setBoth(fingerprint);
    else this.service.current = fingerprint;
  }

  /** The brain has looked for itself, or has handed the ticket to a person. */
  reportResult({ tool, data }: ToolResult): void {
    if (!isRecord(data)) return;
    if (tool === 'update_ticket_status' && typeof data['fingerprint'] === 'string') {
      this.service.setBoth(data['fingerprint']);
    }
    const check = tool === 'inspect_service' ? (data['invariant'] ?? null) : null;
    if (!isRecord(check)) return;
    const { invariantId, ok, at, error } = check;
    if (typeof invariantId !== 'string' || typeof ok !== 'boolean' || typeof at !== 'string') return;
    this.report({ invariantId, ok, at, error: typeof error === 'string' ? error : null });
    this.tellBrain();
  }

  /** The brain hears of everything there is. */
  tellBrain(): void {
    this.failure.known = this.failure.current;
  }

  /** A person paused it: whatever fails once that is over is news. */
  hideByPause(): void {
    this.at = '';
    this.failure.forgetTried();
    this.begun.changed_failure = 0;
    this.failure.setBoth(HIDDEN_BY_PAUSE);
  }

  /** What a person was asked about is not what there is now, and that has not been tried yet. */
  whyAttempt(): Change | null {
    const mayBegin = (cause: Change): boolean => this.begun[cause] < MAX_BEGUN[cause];
    if (this.service.isNews() && mayBegin(this.countedAs())) {
      const { current, known } = this.service;
      return hasProcessChanged(known ?? '', current ?? '') ? 'changed_process' : 'changed_files';
    }
    return this.failure.isNews() && mayBegin('changed_failure') ? 'changed_failure' : null;
  }

  /** Changed files are a repair, whatever the process did meanwhile. */
  private countedAs(): Change {
    const { current, known } = this.service;
    return haveFilesChanged(known ?? '', current ?? '') ? 'changed_files' : 'changed_process';
  }

  beginAttempt(cause: AttemptCause): void {
    switch (cause) {
      case 'changed_failure':
        this.begun[cause] += 1;
        return this.failure.markTried();
      case 'changed_files':
      case 'changed_process':
        this.begun[this.countedAs()] += 1;
        return this.service.markTried();
      case 'opened':
      case 'person':
      case 'time':
        this.failure.forgetTried();
        this.service.forgetTried();
        Object.assign(this.begun, { changed_failure: 0, changed_files: 0, changed_process: 0 });
    }
  }
}
