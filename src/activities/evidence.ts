import type { EvidenceBundle } from '../domain/analyst-rules';
import type { CheckResult } from '../domain/check';
import type { ClosedTicket, EarlierTicket } from '../domain/earlier-tickets';
import { countRelapses, relapseOf } from '../domain/earlier-tickets';
import type { Incident, OpenTicket } from '../domain/incident';
import type { RegistryState } from '../domain/registry';
import type { Control, ServiceStatus } from '../domain/service-state';
import { configurationItem, surroundingsItem } from '../domain/surroundings';
import type { EvidenceItem } from '../domain/ticket';
import { stripInvisible, toWellFormed } from '../domain/untrusted-text';
import type { Changes } from './describe-changes';

const LOG_LINES = 20;
const METRIC_LINES = 40;
const MAX_TEXT = 4_000;
/** A ticket that was open for longer is of no interest to the limit on restarts. */
const MAX_REPAIR_MS = 120_000;
/** A missing source costs the ticket its item, never its time. */
const SOURCE_LIMIT_MS = 1_000;

export interface EvidenceDeps {
  readonly control: Control;
  readonly readLogs: (
    service: string,
    limit: number,
  ) => Promise<readonly { readonly at: string; readonly line: string }[]>;
  /** How its editable files differ from when it last worked; null when it declares none. */
  readonly whatChanged: (service: string, signal: AbortSignal) => Promise<Changes | null>;
  /** Samples of the service's metrics page; null leaves them out: a service that hangs would delay every ticket by it. */
  readonly readMetrics: ((service: string, signal: AbortSignal) => Promise<readonly string[]>) | null;
  readonly readRegistry: () => Promise<RegistryState>;
  readonly dependsOn: (service: string) => readonly string[];
  /** Newest first. */
  readonly earlierTickets: (invariantId: string) => Promise<readonly EarlierTicket[]>;
  /** Those of the service that opened since then. */
  readonly closedTickets: (service: string, since: string) => Promise<readonly ClosedTicket[]>;
  /** How far back repairs that did not last count (`restart_limit.within`). */
  readonly relapsesWithinMs: (service: string) => number;
  /** A failure so soon after a ticket closed is a relapse. */
  readonly openTickets: () => Promise<readonly OpenTicket[]>;
  readonly cooldownMs: number;
  readonly redact: (text: string) => string;
  readonly now: () => Date;
  /** Mints the ticket's ID. */
  readonly newId: () => string;
}

type Draft = Omit<EvidenceItem, 'id'>;

/** The activity `collectEvidence`: every source at once, each within a second; a source that fails is left out. */
export function createCollectEvidence(deps: EvidenceDeps) {
  return async function collectEvidence(incident: Incident): Promise<EvidenceBundle> {
    const at = deps.now().toISOString();
    // Invisible characters could split a secret, so they go first.
    const clean = (text: string) => deps.redact(stripInvisible(text));
    const earlierTickets = withinLimit(deps.earlierTickets(incident.invariantId));
    const relapses = withinLimit(recentRelapses(deps, incident));
    const registry = deps.readRegistry();
    const drafts = await Promise.all([
      ...[incident.check, ...incident.joined].map((check) => Promise.resolve(checkItem(check))),
      ...(incident.service ? serviceItems(deps, incident.service, at) : []),
      withinLimit(surroundings(deps, incident, registry, at)),
      withinLimit(registry.then((state) => configurationItem(incident, state, at))),
      earlierTickets.then((tickets) => earlierItem(tickets ?? [], at)),
    ]);
    const items = drafts
      .filter((draft) => draft !== null)
      .map((draft, index) => ({
        ...draft,
        id: `E${index + 1}`,
        title: clean(draft.title),
        text: toWellFormed(clean(draft.text).slice(0, MAX_TEXT)),
      }));
    const relapse = relapseOf((await earlierTickets) ?? [], at, deps.cooldownMs);
    return {
      ticketId: deps.newId(),
      at,
      items,
      relapseOf: relapse,
      relapses: (await relapses) ?? 0,
      openTicket: await withinLimit(openTicketOf(deps, incident)),
    };
  };
}

/** The sweep that found the incident may have looked before an earlier triage of the service opened its ticket. */
async function openTicketOf({ openTickets }: EvidenceDeps, { service }: Incident): Promise<string | null> {
  if (service === null) return null;
  return (await openTickets()).find((ticket) => ticket.service === service)?.invariantId ?? null;
}

async function recentRelapses(deps: EvidenceDeps, { service, detectedAt }: Incident): Promise<number> {
  if (service === null) return 0;
  const withinMs = deps.relapsesWithinMs(service);
  // The oldest failure that counts followed on a repair of a ticket from before.
  const since = new Date(Date.parse(detectedAt) - withinMs - MAX_REPAIR_MS).toISOString();
  return countRelapses(await deps.closedTickets(service, since), detectedAt, withinMs);
}

function checkItem(check: CheckResult): Draft {
  return {
    kind: 'check',
    at: check.at,
    title: `check ${check.invariantId} failed: ${check.error ?? 'the condition is false'}`,
    text: JSON.stringify(check.resolved),
  };
}

function serviceItems(deps: EvidenceDeps, service: string, at: string): Promise<Draft | null>[] {
  const signal = AbortSignal.timeout(SOURCE_LIMIT_MS);
  return [
    withinLimit(processItem(deps, service, at)),
    withinLimit(logItem(deps, service, at)),
    withinLimit(changesItem(deps, service, at, signal)),
    withinLimit(metricsItem(deps, service, at, signal)),
  ];
}

async function surroundings(
  { control, dependsOn }: EvidenceDeps,
  incident: Incident,
  registry: Promise<RegistryState>,
  at: string,
): Promise<Draft | null> {
  const names = incident.service === null ? [] : dependsOn(incident.service);
  const services = names.length > 0 ? (await control.snapshot()).services : [];
  return surroundingsItem(incident, { registry: await registry, services, dependsOn: names }, at);
}

async function changesItem(
  deps: EvidenceDeps,
  service: string,
  at: string,
  signal: AbortSignal,
): Promise<Draft | null> {
  const changes = await deps.whatChanged(service, signal);
  if (!changes || changes.since === null) return null;
  const { since, parts } = changes;
  const what = parts.length === 0 ? 'nothing changed' : `${parts.length} files changed`;
  const title = `${what} since ${service} last worked with its files (${since})`;
  return { kind: 'report', at, title, text: parts.join('\n\n') };
}

async function metricsItem(
  deps: EvidenceDeps,
  service: string,
  at: string,
  signal: AbortSignal,
): Promise<Draft | null> {
  const samples = (await deps.readMetrics?.(service, signal)) ?? [];
  if (samples.length === 0) return null;
  const text = samples.slice(0, METRIC_LINES).join('\n');
  return { kind: 'metrics', at, title: `metrics of ${service}`, text };
}

async function processItem(deps: EvidenceDeps, service: string, at: string): Promise<Draft | null> {
  const { services } = await deps.control.snapshot();
  const status = services.find((candidate) => candidate.name === service);
  if (!status) return null;
  return { kind: 'process', at, title: describeProcess(status), text: JSON.stringify(status) };
}

async function logItem(deps: EvidenceDeps, service: string, at: string): Promise<Draft | null> {
  const lines = await deps.readLogs(service, LOG_LINES);
  if (lines.length === 0) return null;
  return {
    kind: 'logs',
    at,
    title: `last ${lines.length} log lines of ${service}`,
    text: lines.map((line) => `${line.at} ${line.line}`).join('\n'),
  };
}

function earlierItem(tickets: readonly EarlierTicket[], at: string): Draft | null {
  if (tickets.length === 0) return null;
  const lines = tickets.map(
    ({ id, resolution, status, detectedAt, closedAt, suspectedCause }) =>
      `${id}: ${resolution ?? status}, failed at ${detectedAt}, closed at ${closedAt ?? '?'}: ${suspectedCause.slice(0, 200)}`,
  );
  return {
    kind: 'report',
    at,
    title: `the last ${tickets.length} earlier tickets of this invariant`,
    text: lines.join('\n'),
  };
}

function describeProcess(status: ServiceStatus): string {
  if (status.state === 'exited' && status.exit) {
    const how = status.exit.signal
      ? `was ended by ${status.exit.signal}`
      : `exited with code ${status.exit.code}`;
    return `${status.name} ${how} at ${status.exit.at}`;
  }
  return `${status.name} is ${status.state}${status.pid === null ? '' : ` (pid ${status.pid})`}`;
}

async function withinLimit<T>(draft: Promise<T | null>): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), SOURCE_LIMIT_MS);
  });
  try {
    return await Promise.race([draft.catch(() => null), limit]);
  } finally {
    clearTimeout(timer);
  }
}
