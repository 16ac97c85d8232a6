/** A person closed the ticket of a failure that goes on: no new ticket for it until the invariant has been up once. */
export interface Dismissal {
  readonly by: string;
  readonly at: string;
  /** Over by itself then; null: only by an invariant that is up. */
  readonly until: string | null;
}

/** By invariant ID. */
export type Dismissals = Readonly<Record<string, Dismissal>>;

export function dismissalOf(dismissed: Dismissals | undefined, id: string, at: string): Dismissal | null {
  const found = dismissed && Object.hasOwn(dismissed, id) ? dismissed[id] : undefined;
  return found && (found.until === null || at < found.until) ? found : null;
}

export function forgetDismissal(dismissed: Dismissals | undefined, id: string): Dismissals | undefined {
  if (!dismissed || !Object.hasOwn(dismissed, id)) return dismissed;
  return Object.fromEntries(Object.entries(dismissed).filter(([key]) => key !== id));
}
