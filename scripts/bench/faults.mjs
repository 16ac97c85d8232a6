import { writeFile } from 'node:fs/promises';
import { answersAgainAt, atRandomMoment, secondsSince, until } from './until.mjs';

const promise = (ticket, answers, closed) => ({ ticket, answers, closed });
const sigkill = ({ pid }) => process.kill(pid, 'SIGKILL');
/** What was restored once and is written again is meant so: each run writes what was never written before. */
const differently = (text, run) => `${text}${'\n'.repeat(run)}`;

/** Faults that are repaired: what is done to which program, and the promise, [median, worst of 20] in seconds. */
export const FAULTS = {
  kill: {
    title: 'process killed (SIGKILL)',
    program: 'limiter',
    inject: sigkill,
    promised: promise([0.4, 1.2], [0.8, 2], [2.2, 4]),
  },
  hang: {
    title: 'hung (SIGSTOP)',
    program: 'limiter',
    inject: ({ pid }) => process.kill(pid, 'SIGSTOP'),
    promised: promise([6, 9], [8, 11], [9.5, 13]),
  },
  block: {
    title: 'hung (blocked event loop)',
    program: 'faulty',
    inject: ({ service }) => fetch(new URL('/block', service.healthUrl), { method: 'POST' }),
    promised: promise([6, 9], [9, 12], [10.5, 14]),
  },
  disabled: {
    title: 'answers 503 (`enabled: false` in its config)',
    program: 'limiter',
    inject: ({ service, run }) => writeFile(service.configFile, differently('{ "enabled": false }', run)),
    promised: promise([3.8, 6.5], [4.6, 7.5], [6, 9]),
  },
  slow: {
    title: '+ 500 ms against a 200 ms rule (`delay_ms` in its config)',
    program: 'limiter',
    rules: ({ name, healthUrl }) => [
      { id: `${name}_quick`, query: `latency:${healthUrl}`, condition: '< 200', service: name },
    ],
    inject: ({ service, run }) =>
      writeFile(service.configFile, differently('{ "enabled": true, "delay_ms": 500 }', run)),
    withinMs: 200,
    promised: promise([5, 8], [6, 9], [8, 11]),
  },
  badconfig: {
    title: 'broken config file, then killed: a crash loop',
    program: 'limiter',
    inject: async ({ pid, service, run }) => {
      await writeFile(service.configFile, differently('{ "enabled": tru', run));
      process.kill(pid, 'SIGKILL');
    },
    promised: promise([0.4, 1.2], [3, 6], [5, 9]),
  },
};

/** One fault at a random moment between two sweeps, until its ticket is closed as fixed; seconds after the fault. */
export async function measureFault({ inject, withinMs }, harness, service, run) {
  const before = await harness.newestTicket(service.name);
  const { pid } = await harness.service(service.name);
  await atRandomMoment();
  const faultAt = Date.now();
  await inject({ pid, service, run });
  const [answersAt, ticket] = await Promise.all([
    answersAgainAt(service.healthUrl, { withinMs }),
    untilClosed(harness, service.name, before),
  ]);
  return {
    ticket: secondsSince(faultAt, Date.parse(ticket.created_at)),
    answers: secondsSince(faultAt, answersAt),
    closed: secondsSince(faultAt, Date.parse(ticket.closed_at)),
  };
}

/** The ticket after `before`, once it is closed; as anything but `fixed` it is no repair. */
export async function untilClosed(harness, service, before) {
  const ticket = await until(`the ticket of ${service} closes`, async () => {
    const newest = await harness.newestTicket(service);
    return newest && newest.id !== before?.id && newest.closed_at !== null ? newest : null;
  });
  if (ticket.resolution !== 'fixed') throw new Error(`its ticket was closed as ${ticket.resolution}`);
  return ticket;
}
