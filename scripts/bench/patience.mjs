import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { untilClosed } from './faults.mjs';
import { startsOf } from './services.mjs';
import { answersAgainAt, atRandomMoment, INTERVAL_MS, pause, secondsSince, until } from './until.mjs';

const STALL_MS = 4_000;
const BOOT_MS = 12_000;

/** Faults of which the best thing to do is to wait. */
export const PATIENCE = {
  stall: {
    title: 'a 4 s stall that heals itself (SIGSTOP, SIGCONT)',
    program: 'limiter',
    promised: { restarts: [null, 0], edits: [null, 0] },
  },
  boot: {
    title: 'killed, and the next boot takes 12 s',
    program: 'faulty',
    promised: { ticket: [0.4, 1.2], starts: [null, 1], closed: [null, 5] },
  },
};

/** How often harness acted on a service that only needed to be left alone; tickets opened for it. */
export async function measureStall(_row, harness, service) {
  const countTickets = async () =>
    (await harness.get(`/tickets?service=${service.name}&limit=200`)).items.length;
  const countEdits = async () => {
    const journal = join(harness.dir, 'data/edits', service.name, 'journal.ndjson');
    const text = await readFile(journal, 'utf8').catch(() => '');
    return text.split('\n').filter((line) => line !== '').length;
  };
  const [tickets, edits, starts] = await Promise.all([countTickets(), countEdits(), startsOf(service)]);
  const [{ pid }, { mtimeMs }] = await Promise.all([harness.service(service.name), stat(service.configFile)]);
  await atRandomMoment();
  process.kill(pid, 'SIGSTOP');
  await pause(STALL_MS);
  process.kill(pid, 'SIGCONT');
  const healedAt = Date.now();
  await until('every sweep that may have seen the stall has ended, and no ticket is open', async () => {
    const { state, last_check, open_ticket_id } = await harness.get(`/invariants/${service.name}_healthy`);
    return state === 'up' && open_ticket_id === null && Date.parse(last_check.at) > healedAt + INTERVAL_MS;
  });
  const after = await Promise.all([countTickets(), countEdits(), startsOf(service)]);
  const [ticketsAfter, editsAfter, startsAfter] = after;
  const isSameProcess = (await harness.service(service.name)).pid === pid;
  const isSameFile = (await stat(service.configFile)).mtimeMs === mtimeMs;
  return {
    // A process that was ended and never came up again would have counted no start.
    restarts: Math.max(startsAfter - starts, isSameProcess ? 0 : 1),
    edits: Math.max(editsAfter - edits, isSameFile ? 0 : 1),
    tickets: ticketsAfter - tickets,
  };
}

/** Starts until it is well again; `closed` counts from its first answer. */
export async function measureBoot(_row, harness, service) {
  const before = await harness.newestTicket(service.name);
  const starts = await startsOf(service);
  const { pid } = await harness.service(service.name);
  await writeFile(service.bootMsFile, String(BOOT_MS));
  await atRandomMoment();
  const faultAt = Date.now();
  process.kill(pid, 'SIGKILL');
  const [answersAt, ticket] = await Promise.all([
    answersAgainAt(service.healthUrl),
    untilClosed(harness, service.name, before),
  ]);
  return {
    ticket: secondsSince(faultAt, Date.parse(ticket.created_at)),
    starts: (await startsOf(service)) - starts,
    answers: secondsSince(faultAt, answersAt),
    closed: secondsSince(answersAt, Date.parse(ticket.closed_at)),
  };
}
