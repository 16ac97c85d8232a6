import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isInterrupted, own } from './ending.mjs';
import { FAULTS } from './faults.mjs';
import { findMonit } from './monit.mjs';
import { killProcessesOf } from './processes.mjs';
import { makeService } from './services.mjs';
import { findSupervisord } from './supervisord.mjs';
import { answers, answersAgainAt, atRandomMoment, pause, secondsSince, until } from './until.mjs';

/** The rows that are measured under the peers too. */
export const PEER_ROWS = ['kill', 'hang', 'disabled'];
/** Longer than any of them needs when it can repair something at all. */
export const RECOVERY_LIMIT_MS = 60_000;
const MAX_UNREPAIRED = 3;
/** A content no peer puts back: the bench does it, so that the next run begins well. */
const GOOD_CONFIG = '{ "enabled": true }\n';

/** Each is `{name, start}`, or `{name, missing}` with the reason. */
export async function findPeers(say) {
  const found = await Promise.allSettled([findSupervisord(say), findMonit()]);
  const names = ['supervisord + httpok', 'monit'];
  return found.map(({ value, reason }, index) =>
    value ? value : { name: names[index], missing: reason.message.split('\n')[0] },
  );
}

/** The same fault under the peers, each with a service of its own at the same time; seconds until it answers again. */
export async function measurePeers(peers, row, runs, say) {
  return await Promise.all(
    peers.map(async (peer) => {
      if (peer.missing !== undefined) return { name: peer.name, samples: [], failure: peer.missing };
      const samples = [];
      try {
        await measurePeer(peer, row, runs, samples, say);
        return { name: peer.name, samples, failure: null };
      } catch (error) {
        return { name: peer.name, samples, failure: error.message.split('\n')[0] };
      }
    }),
  );
}

/** Fills `samples`; null stands for a service that did not come back within a minute. */
async function measurePeer(peer, row, runs, samples, say) {
  const { program, inject } = FAULTS[row];
  const dir = await mkdtemp(join(tmpdir(), 'harness-bench-peer-'));
  let running = null;
  const dispose = async () => {
    await running?.stop();
    await killProcessesOf(dir);
    await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  };
  const release = own(dispose);
  try {
    const service = await makeService(dir, row, program);
    running = await peer.start(dir, service);
    const isHopeless = () => samples.filter((sample) => sample === null).length >= MAX_UNREPAIRED;
    for (let run = 1; run <= runs && !isHopeless() && !isInterrupted(); run += 1) {
      await until(`the service answers under ${peer.name}`, () => answers(service.healthUrl));
      // It counts as running one second after its start.
      await pause(1_500);
      await atRandomMoment();
      const pid = await running.pid();
      const faultAt = Date.now();
      await inject({ pid, service, run });
      const answersAt = await answersAgainAt(service.healthUrl, { limitMs: RECOVERY_LIMIT_MS }).catch(
        () => null,
      );
      samples.push(answersAt === null ? null : secondsSince(faultAt, answersAt));
      say(`${peer.name} ${row} ${run}/${runs}: ${samples.at(-1) ?? 'not repaired'}`);
      if (answersAt === null) await writeFile(service.configFile, GOOD_CONFIG);
    }
  } finally {
    await dispose();
    release();
  }
}
