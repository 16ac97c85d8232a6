import type { Payload, ProtoFailure } from '@temporalio/common';
import type { History } from '@temporalio/common/lib/proto-utils';
import type { RecordedFailure } from '../domain/history-event';
import type { Json } from '../domain/json';

type ProtoEvent = NonNullable<History['events']>[number];
type Timestamp = ProtoEvent['eventTime'];
const text = new TextDecoder();

/** RFC 3339 UTC with milliseconds; the epoch when Temporal recorded no time. */
export function isoTime(timestamp: Timestamp): string {
  const seconds = wholeNumber(timestamp?.seconds);
  return new Date(seconds * 1_000 + Math.floor((timestamp?.nanos ?? 0) / 1e6)).toISOString();
}

/** A 64-bit field: the wire gives a Long, a history that was stored as JSON a plain number. */
export function wholeNumber(value: { toString(): string } | null | undefined): number {
  return Number(value?.toString() ?? 0);
}

/** Decodes every payload; one that is not JSON becomes `{ $payload, bytes }`, so that the reader sees it was there. */
export function jsonOf(payloads: { payloads?: Payload[] | null } | null | undefined): readonly Json[] {
  return (payloads?.payloads ?? []).map(payloadOf);
}

/** Fields of a memo or of search attributes. A list of one is the older spelling of a single value, an empty one of none. */
export function jsonRecord(
  fields: Record<string, Payload> | null | undefined,
): Readonly<Record<string, Json>> {
  const entries = Object.entries(fields ?? {}).map(([name, payload]) => {
    const value = payloadOf(payload);
    const isAttribute = payload.metadata?.['type'] !== undefined;
    return [
      name,
      isAttribute && Array.isArray(value) && value.length <= 1 ? (value[0] ?? null) : value,
    ] as const;
  });
  return Object.fromEntries(entries);
}

/** What the workflow called this step (`summary` of its options); null when it said nothing. */
export function summaryOf(metadata: ProtoEvent['userMetadata']): string | null {
  const summary = metadata?.summary ? payloadOf(metadata.summary) : null;
  return typeof summary === 'string' ? summary : null;
}

export function failureOf(failure: ProtoFailure | null | undefined): RecordedFailure {
  return {
    message: failure?.message ?? '',
    type: failure ? typeOf(failure) : null,
    details: jsonOf(failure?.applicationFailureInfo?.details),
    cause: failure?.cause ? failureOf(failure.cause) : null,
  };
}

/** By number of temporal.api.enums.v1.TimeoutType. */
const TIMEOUTS = ['unspecified', 'start_to_close', 'schedule_to_start', 'schedule_to_close', 'heartbeat'];

function typeOf(failure: ProtoFailure): string | null {
  if (failure.timeoutFailureInfo) {
    return `Timeout:${TIMEOUTS[Number(failure.timeoutFailureInfo.timeoutType ?? 0)] ?? 'unspecified'}`;
  }
  return failure.applicationFailureInfo?.type || null;
}

function payloadOf(payload: Payload): Json {
  const encoding = payload.metadata?.['encoding'] ? text.decode(payload.metadata['encoding']) : '';
  const data = payload.data ?? new Uint8Array();
  if (encoding === 'binary/null') return null;
  if (encoding === 'json/plain') {
    if (data.length === 0) return null;
    try {
      return JSON.parse(text.decode(data)) as Json;
    } catch {
      return { $payload: 'invalid json', bytes: data.length };
    }
  }
  return { $payload: encoding || 'unknown', bytes: data.length };
}
