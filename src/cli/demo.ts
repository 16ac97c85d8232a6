import { rm } from 'node:fs/promises';
import { createWebClient } from '../client/web-client';
import { errorText } from '../config/error-text';
import type { CliContext } from './context';
import { printJson } from './context';
import { FAULT_PLANS } from './demo-faults';
import type { DemoFault } from './demo-faults';
import type { DemoHarness } from './demo-harness';
import { startDemoHarness } from './demo-harness';
import { breakAndWatch, waitUntilKnownGood, waitUntilUp } from './demo-observe';
import type { Observation, Verdict } from './demo-report';
import {
  measurementsOf,
  renderMeasurements,
  renderStory,
  renderVerdicts,
  storyOf,
  verdictsOf,
} from './demo-report';
import { EXIT } from './exit-codes';

export interface DemoInput {
  readonly fault: DemoFault;
  readonly keep?: boolean;
  readonly json?: boolean;
}

/**
 * The whole story with a harness of its own: start, break the service, watch the repair, check each promise, stop.
 * Exit 0 when every promise was kept, else 1; nothing is left running.
 */
export async function demo(context: CliContext, input: DemoInput): Promise<number> {
  const abort = new AbortController();
  const onSignal = () => abort.abort(new Error('stopped'));
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  const say = (text: string) => context.err.write(`${text}\n`);
  let harness: DemoHarness | null = null;
  try {
    say('starting a harness on free ports …');
    harness = await startDemoHarness({
      fault: input.fault,
      env: context.env,
      signal: abort.signal,
      onLine: (line) => say(context.colors.dim(`  ${line}`)),
    });
    const web = createWebClient({ dataDir: harness.dataDir });
    say(`ready on ${harness.webUrl}; waiting until everything is up …`);
    await waitUntilUp(web, abort.signal);
    if (FAULT_PLANS[input.fault].config !== null) {
      say('waiting until its configuration is known to be good, after 10 s of good health …');
      await waitUntilKnownGood(harness.service, abort.signal);
    }
    say(`breaking ${harness.service.name}: ${input.fault} …`);
    const seen = await breakAndWatch(web, harness.service, input.fault, abort.signal);
    say('stopping the harness …');
    const { left, lines } = await stopAndForget(harness, input.keep === true);
    if (input.keep === true) say(`kept: ${harness.folder}`);
    harness = null;
    const verdicts = [...verdictsOf(seen), nothingLeft(left)];
    print(context, input, seen, verdicts);
    const isKept = verdicts.every(({ ok }) => ok);
    if (!isKept) say(['the last lines of the harness:', ...lines].join('\n  '));
    return isKept ? EXIT.ok : EXIT.failure;
  } catch (error) {
    if (abort.signal.aborted) return 130;
    say([`the demo failed: ${errorText(error)}`, ...(harness?.lastLines() ?? [])].join('\n  '));
    return EXIT.failure;
  } finally {
    if (harness !== null) await stopAndForget(harness, input.keep === true);
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}

async function stopAndForget(harness: DemoHarness, keep: boolean) {
  const left = await harness.stop();
  if (!keep) await rm(harness.folder, { recursive: true, force: true });
  return { left, lines: harness.lastLines() };
}

function nothingLeft(left: readonly number[]): Verdict {
  const found = left.length === 0 ? 'none' : `killed: ${left.join(', ')}`;
  return { promise: 'no process is left after the end', ok: left.length === 0, found };
}

function print(context: CliContext, input: DemoInput, seen: Observation, verdicts: readonly Verdict[]): void {
  const story = storyOf(seen);
  const measurements = measurementsOf(seen);
  if (input.json) {
    const ok = verdicts.every((verdict) => verdict.ok);
    const fault = { kind: input.fault, at: new Date(seen.faultAt).toISOString() };
    printJson(context, { ok, fault, timeline: story, measurements, promises: verdicts });
    return;
  }
  const parts = [
    renderStory(story, seen.faultAt, context.colors),
    renderMeasurements(measurements),
    renderVerdicts(verdicts, context.colors),
  ];
  context.out.write(parts.join('\n'));
}
