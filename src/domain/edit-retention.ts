import type { EditEntry } from './edit-journal';

export interface EditRetention {
  readonly nowMs: number;
  readonly openTickets: ReadonlySet<string>;
}

const DAY_MS = 86_400_000;
/** How long after its last edit a closed ticket can still be undone. */
const KEEP_MS = 30 * DAY_MS;
/** Kept whatever their age: a clock that was set must not cost the whole journal. */
const KEEP_OPERATIONS = 200;

/**
 * Tickets whose entries must stay: open ones, those that edited in the last 30 days, and those of the last 200 operations.
 * Whole tickets only, because an undo goes back to what the ticket found first.
 */
export function ticketsToKeep(
  journal: readonly EditEntry[],
  { nowMs, openTickets }: EditRetention,
): ReadonlySet<string> {
  const operations = [...new Set(journal.map(({ operation }) => operation).toReversed())];
  const latest = new Set(operations.slice(0, KEEP_OPERATIONS));
  return new Set(
    journal
      .filter(
        ({ ticket, operation, at }) =>
          // Of an unreadable time the age is not known.
          openTickets.has(ticket) || latest.has(operation) || !(nowMs - Date.parse(at) > KEEP_MS),
      )
      .map(({ ticket }) => ticket),
  );
}
