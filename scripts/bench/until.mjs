import { request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

export const INTERVAL_MS = 5_000;
/** An answer is good when it is 200 and comes within this. */
const PATIENCE_MS = 500;
const LIMIT_MS = 120_000;

export const pause = (ms) => delay(ms);
/** Faults come at any moment between two sweeps. */
export const atRandomMoment = () => pause(Math.random() * INTERVAL_MS);
export const secondsSince = (from, at = Date.now()) => (at - from) / 1_000;

export async function until(what, look, { limitMs = LIMIT_MS, everyMs = 50 } = {}) {
  const deadline = performance.now() + limitMs;
  while (performance.now() < deadline) {
    const found = await look();
    if (found) return found;
    await pause(everyMs);
  }
  throw new Error(`${what}: not within ${limitMs / 1_000} s`);
}

/** Epoch ms of the first good answer after a bad one: what a dying process still answers proves nothing. */
export async function answersAgainAt(url, { limitMs = LIMIT_MS, withinMs = PATIENCE_MS } = {}) {
  let hasFailed = false;
  return await until(
    `${url} answers again`,
    async () => {
      const isOk = await answers(url, withinMs);
      if (isOk && hasFailed) return Date.now();
      hasFailed ||= !isOk;
      return null;
    },
    { everyMs: 25, limitMs },
  );
}

export function answers(url, withinMs = PATIENCE_MS) {
  return new Promise((resolve) => {
    const probing = request(url, { agent: false, timeout: withinMs }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    probing.once('timeout', () => probing.destroy());
    probing.once('error', () => resolve(false));
    probing.end();
  });
}
