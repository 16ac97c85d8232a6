import { INVARIANT_ID } from '../domain/invariant';
import { TICKET_ID } from './ticket-id';

/** What the name of an archive file tells, so that a reader need not open thousands to find five. */
export interface ArchiveName {
  readonly name: string;
  readonly ticketId: string;
  /** Null: it was named when names told of the ticket alone. */
  readonly key: { readonly runStartedAt: string; readonly invariantId: string } | null;
}

const TIME = /^(\d{4}-\d\d-\d\dT\d\d):(\d\d):(\d\d)\.(\d{3}Z)$/;
const NAME =
  /^(\d{4}-\d\d-\d\dT\d\d)-(\d\d)-(\d\d)-(\d{3}Z)\.([a-z0-9][a-z0-9_-]{0,63})\.([A-Za-z0-9_-]{1,64})\.json$/;

export function archiveName(ticketId: string, invariantId: string, runStartedAt: string): string {
  const time = TIME.exec(runStartedAt);
  if (!time || !INVARIANT_ID.test(invariantId)) return `${ticketId}.json`;
  return `${time.slice(1).join('-')}.${invariantId}.${ticketId}.json`;
}

/** Null for what is no archive file. */
export function parseArchiveName(name: string): ArchiveName | null {
  const [whole, hour, minute, second, ms, invariantId, ticketId] = NAME.exec(name) ?? [];
  if (whole !== undefined && invariantId !== undefined && ticketId !== undefined) {
    return { name, ticketId, key: { runStartedAt: `${hour}:${minute}:${second}.${ms}`, invariantId } };
  }
  const plain = name.endsWith('.json') ? name.slice(0, -'.json'.length) : '';
  return TICKET_ID.test(plain) ? { name, ticketId: plain, key: null } : null;
}
