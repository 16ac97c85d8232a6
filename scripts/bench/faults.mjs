import { answersAgainAt, pause, until } from './until.mjs';

const INTERVAL_MS = 5_000;
const promise = (ticket, answers, closed) => ({ ticket, answers, closed });

/** Rows of the table of promises: what is done to which service, and [median, worst of 20] in seconds. */
export const FAULTS = {
  kill: {
    title: 'process killed (SIGKILL)',
    service: 'rate_limiter',
    inject: ({ pid }) => process.kill(pid, 'SIGKILL'),
    promised: promise([0.4, 1.2], [0.8, 2], [2.2, 4]),
  },
  hang: {
    title: 'hung (SIGSTOP)',
    service: 'rate_limiter',
    inject: ({ pid }) => process.kill(pid, 'SIGSTOP'),
    promised: promise([6, 9], [8, 11], [9.5, 13]),
  },
  block: {
    title: 'hung (blocked event loop)',
    service: 'blockable',
    inject: ({ healthUrl }) => fetch(new URL('/block', healthUrl), { method: 'POST' }),
    promised: promise([6, 9], [9, 12], [10.5, 14]),
  },
};

/** Injects the fault `runs` times, each at a random moment between two sweeps; seconds after the fault. */
export async function measureFault(harness, row, runs, say) {
  const { service, inject } = FAULTS[row];
  const healthUrl = harness.healthUrl(service);
  const samples = [];
  for (let run = 1; run <= runs; run += 1) {
    await harness.untilUp();
    await pause(Math.random() * INTERVAL_MS);
    const path = `/tickets?service=${service}`;
    const before = (await harness.get(path)).items.length;
    const faultAt = Date.now();
    await inject({ pid: await harness.pidOf(service), healthUrl });
    const [answersAt, ticket] = await Promise.all([
      answersAgainAt(healthUrl),
      until('the ticket closes', async () => {
        const { items } = await harness.get(path);
        return items.length > before && items[0].closed_at !== null ? items[0] : null;
      }),
    ]);
    if (ticket.resolution !== 'fixed') throw new Error(`${row}: closed as ${ticket.resolution}`);
    const seconds = (at) => (at - faultAt) / 1_000;
    const sample = {
      ticket: seconds(Date.parse(ticket.created_at)),
      answers: seconds(answersAt),
      closed: seconds(Date.parse(ticket.closed_at)),
    };
    say(`${row} ${run}/${runs}: ${JSON.stringify(sample)}`);
    samples.push(sample);
  }
  return samples;
}
