import { request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

export const pause = (ms) => delay(ms);

export async function until(what, look, { limitMs = 120_000, everyMs = 50 } = {}) {
  const deadline = performance.now() + limitMs;
  while (performance.now() < deadline) {
    const found = await look();
    if (found) return found;
    await pause(everyMs);
  }
  throw new Error(`${what}: not within ${limitMs / 1_000} s`);
}

/** Epoch ms of the first good answer after a bad one: what a dying process still answers proves nothing. */
export async function answersAgainAt(url) {
  let hasFailed = false;
  return await until(
    `${url} answers again`,
    async () => {
      const isOk = await answers(url);
      if (isOk && hasFailed) return Date.now();
      hasFailed ||= !isOk;
      return null;
    },
    { everyMs: 25 },
  );
}

export function answers(url) {
  return new Promise((resolve) => {
    const probing = request(url, { agent: false, timeout: 500 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    probing.once('timeout', () => probing.destroy());
    probing.once('error', () => resolve(false));
    probing.end();
  });
}
