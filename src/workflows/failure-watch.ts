import type { CheckResult } from '../domain/check';
import { failureClass } from '../domain/incident';
import { isRecord } from '../domain/json';
import type { ToolResult } from '../domain/tool';

/** A fault that changes its face for ever does not make the agent work for ever: then `retry_after` decides. */
const MAX_TRIED = 3;

/** How the ticket's own invariant fails, as the last check saw it and as the brain last knew it. */
export class FailureWatch {
  /** Null while nobody has seen it fail. */
  current: string | null = null;
  private at = '';
  private known: string | null;
  /** Ways of failing that began an attempt since a person, or the time, did. */
  private readonly tried = new Set<string>();

  constructor(
    private readonly invariantId: string,
    first: CheckResult | null,
  ) {
    if (first) this.report(first);
    this.known = this.current;
  }

  /** A check of any invariant; one that was overtaken says nothing. */
  report({ invariantId, ok, at, error }: Pick<CheckResult, 'invariantId' | 'ok' | 'at' | 'error'>): void {
    if (invariantId !== this.invariantId || ok || at < this.at) return;
    this.at = at;
    this.current = failureClass(error);
  }

  /** The brain has looked for itself. */
  reportResult({ tool, data }: ToolResult): void {
    const check = tool === 'inspect_service' && isRecord(data) ? (data['invariant'] ?? null) : null;
    if (!isRecord(check)) return;
    const { invariantId, ok, at, error } = check;
    if (typeof invariantId !== 'string' || typeof ok !== 'boolean' || typeof at !== 'string') return;
    this.report({ invariantId, ok, at, error: typeof error === 'string' ? error : null });
    this.tellBrain();
  }

  /** The brain hears of everything there is. */
  tellBrain(): void {
    this.known = this.current;
  }

  /** What a person was asked about is not what is wrong now, and that has not been tried yet. */
  isWorthAnAttempt(): boolean {
    const { current } = this;
    return (
      current !== null && current !== this.known && !this.tried.has(current) && this.tried.size < MAX_TRIED
    );
  }

  beginAttempt(reason: 'changed' | 'asked'): void {
    if (reason === 'asked') this.tried.clear();
    else if (this.current !== null) this.tried.add(this.current);
  }
}
