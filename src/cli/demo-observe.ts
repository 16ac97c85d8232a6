import { readdir, readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { WebClient } from '../client/web-client';
import type { DemoFault, FaultPlan } from './demo-faults';
import { FAULT_PLANS } from './demo-faults';
import type { DemoService } from './demo-harness';
import type { Observation } from './demo-report';
import { CliError, EXIT } from './exit-codes';
import type { ServiceWire, TicketDetailWire } from './wire';
import { invariantWire, listOf, parseAnswer, serviceWire, ticketDetailWire, ticketWire } from './wire';

const PROBE_EVERY_MS = 25;
const POLL_EVERY_MS = 100;
const UP_MS = 60_000;
const KNOWN_GOOD_MS = 60_000;
/** Longer than the ceilings, so that a broken promise is measured and not only missed. */
const WATCH_MS = 75_000;

const TICKETS = '/api/v1/tickets';
const SERVICES = '/api/v1/services';
const INVARIANTS = '/api/v1/invariants';

/** Waits until every invariant is up: only then is a fault a fault. */
export async function waitUntilUp(web: WebClient, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + UP_MS;
  for (;;) {
    const { items } = parseAnswer(listOf(invariantWire), (await web.request(INVARIANTS)).body, INVARIANTS);
    const waiting = items.filter(({ enabled, state }) => enabled && state !== 'up');
    if (items.length > 0 && waiting.length === 0) return;
    if (Date.now() > deadline) {
      const states =
        waiting.map(({ id, state }) => `${id} is ${state}`).join(', ') || 'there are no invariants';
      throw new CliError(`not everything was up within ${UP_MS / 1_000} s: ${states}`, EXIT.timedOut);
    }
    await delay(POLL_EVERY_MS, undefined, { signal });
  }
}

/** Waits until there is a copy of the configuration with which the service works: nothing else can be restored. */
export async function waitUntilKnownGood(service: DemoService, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + KNOWN_GOOD_MS;
  while ((await readdir(service.knownGood).catch(() => [])).length === 0) {
    if (Date.now() > deadline) {
      const why = `no copy of ${service.configFile} was kept within ${KNOWN_GOOD_MS / 1_000} s`;
      throw new CliError(why, EXIT.timedOut);
    }
    await delay(POLL_EVERY_MS, undefined, { signal });
  }
}

/** Breaks the service and watches, from outside, until its ticket is closed and it answers, or the time is over. */
export async function breakAndWatch(
  web: WebClient,
  service: DemoService,
  fault: DemoFault,
  signal: AbortSignal,
): Promise<Observation> {
  const plan = FAULT_PLANS[fault];
  const before = await findService(web, service.name);
  if (before.pid === null) throw new CliError(`${service.name} has no process to break`, EXIT.failure);
  const good = await readFile(service.configFile);
  const faultAt = Date.now();
  if (plan.config !== null) await writeFile(service.configFile, plan.config);
  if (plan.signal !== null) process.kill(before.pid, plan.signal);

  const deadline = AbortSignal.any([signal, AbortSignal.timeout(WATCH_MS)]);
  const closed = new AbortController();
  const [answersAgainAt, { ticketSeenAt, ticket }] = await Promise.all([
    watchHealth(service.healthUrl, plan, closed.signal, deadline),
    watchTicket(web, deadline).finally(() => closed.abort()),
  ]);
  signal.throwIfAborted();
  const all = parseAnswer(listOf(ticketWire), (await web.request(TICKETS)).body, TICKETS);
  const after = await findService(web, service.name);
  const found = await readFile(service.configFile).catch(() => null);
  return {
    fault,
    faultAt,
    ticketSeenAt,
    answersAgainAt,
    ticket,
    tickets: all.items.length,
    isConfigAsBefore: found?.equals(good) ?? false,
    before: { pid: before.pid, restarts: before.restarts },
    after: {
      pid: after.pid,
      restarts: after.restarts,
      isSupervised: after.state === 'running' && after.ready && after.pid !== null && isAlive(after.pid),
    },
  };
}

async function findService(web: WebClient, name: string): Promise<ServiceWire> {
  const { items } = parseAnswer(listOf(serviceWire), (await web.request(SERVICES)).body, SERVICES);
  const found = items.find((service) => service.name === name);
  if (found) return found;
  throw new CliError(`the harness runs no service ${name}`, EXIT.failure);
}

async function watchTicket(
  web: WebClient,
  deadline: AbortSignal,
): Promise<{ ticketSeenAt: number | null; ticket: TicketDetailWire | null }> {
  let ticketSeenAt: number | null = null;
  let ticket: TicketDetailWire | null = null;
  while (!deadline.aborted && (ticket === null || ticket.closed_at === null)) {
    ticket = await readTicket(web, ticket?.id ?? null);
    if (ticket !== null) ticketSeenAt ??= Date.now();
    await pause(POLL_EVERY_MS, deadline);
  }
  return { ticketSeenAt, ticket };
}

async function readTicket(web: WebClient, known: string | null): Promise<TicketDetailWire | null> {
  const list = async () => parseAnswer(listOf(ticketWire), (await web.request(TICKETS)).body, TICKETS);
  const id = known ?? (await list()).items.at(-1)?.id;
  if (id === undefined) return null;
  const path = `${TICKETS}/${encodeURIComponent(id)}`;
  return parseAnswer(ticketDetailWire, (await web.request(path)).body, path);
}

/**
 * The first good answer after the last bad one, known when the ticket is closed: what the service still answers before the
 * fault takes hold proves nothing, and what it answers between two failures is no repair.
 */
async function watchHealth(
  url: string,
  { answerMs }: FaultPlan,
  closed: AbortSignal,
  deadline: AbortSignal,
): Promise<number | null> {
  let hasFailed = false;
  let goodSince: number | null = null;
  while (!deadline.aborted && !(closed.aborted && goodSince !== null)) {
    const isOk = await probe(url, answerMs);
    hasFailed ||= !isOk;
    goodSince = isOk && hasFailed ? (goodSince ?? Date.now()) : null;
    await pause(PROBE_EVERY_MS, deadline);
  }
  return goodSince;
}

function probe(url: string, limitMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probing = request(url, { agent: false, signal: AbortSignal.timeout(limitMs) }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    probing.once('error', () => resolve(false));
    probing.end();
  });
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
