import { filesOf, haveFilesChanged } from '../domain/fingerprint';
import type { OpenTicket } from '../domain/incident';
import type { ServiceStatus } from '../domain/service-state';
import type { TakeFingerprint } from './fingerprint';

/** Files that have not changed for so long are a repair; before, somebody may be in the middle of it. */
const SETTLED_AFTER_MS = 2_000;

/** How services are that are not as their blocked tickets know them; both by ticket ID. */
export interface ServiceChanges {
  readonly fingerprints: ReadonlyMap<string, string>;
  /** Somebody is changing the files at this moment: whatever fails may be of his making. */
  readonly unsettled: ReadonlySet<string>;
}

interface Seen {
  readonly files: string;
  readonly sinceMs: number;
}

/**
 * Compares services with how their tickets left them, sweep after sweep: files count once two looks, seconds apart, have found
 * them the same. A service that cannot be looked at has not changed.
 */
export function createServiceWatch(takeFingerprint: TakeFingerprint, monotonicMs = () => performance.now()) {
  let seen: ReadonlyMap<string, Seen> = new Map();

  /** Only failing invariants are looked at; what is known of other open tickets is kept. */
  return async function findChanges(
    openTickets: readonly OpenTicket[],
    isDown: (invariantId: string) => boolean,
    statuses: readonly ServiceStatus[],
    signal: AbortSignal,
  ): Promise<ServiceChanges> {
    const fingerprints = new Map<string, string>();
    const unsettled = new Set<string>();
    const looks = openTickets.map(async ({ ticketId, invariantId, service, status, fingerprint: left }) => {
      const before = seen.get(ticketId);
      if (!isDown(invariantId)) return before ? [[ticketId, before] as const] : [];
      if (service === null || status !== 'blocked') return [];
      const now = await takeFingerprint(service, statuses, signal).catch(() => null);
      if (now === null || now === left) return [];
      const files = filesOf(now);
      const sinceMs = before?.files === files ? before.sinceMs : monotonicMs();
      const isAsLeft = left !== null && !haveFilesChanged(left, now);
      if (isAsLeft || monotonicMs() - sinceMs >= SETTLED_AFTER_MS) fingerprints.set(ticketId, now);
      // Of a ticket that does not know how it was left, this may be just that.
      else if (left !== null) unsettled.add(ticketId);
      return [[ticketId, { files, sinceMs }] as const];
    });
    seen = new Map((await Promise.all(looks)).flat());
    signal.throwIfAborted();
    return { fingerprints, unsettled };
  };
}
