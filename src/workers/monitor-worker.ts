import { join } from 'node:path';
import { Worker } from '@temporalio/worker';
import { createRegistryQuery } from '../activities/registry-access';
import { createSamples } from '../activities/samples';
import type { Samples } from '../activities/samples';
import { createControlClient, followControl } from '../client/control-client';
import type { TemporalAccess } from '../client/temporal';
import type { HarnessConfig } from '../config/config';
import { paths } from '../config/paths';
import type { ProcessHost } from '../config/process-host';
import type { CheckResult } from '../domain/check';
import type { CheckNowInput, RecheckRequest } from '../workflows/contract';
import { checkWorkflowId, QUEUES, SIGNALS, WORKFLOWS } from '../workflows/contract';
import { ensureRegistry } from './ensure-registry';
import { createExitWatcher } from './exit-watcher';
import { createMonitorActivities } from './monitor-activities';
import { ensureMonitorSchedule } from './monitor-schedule';
import { openTemporal } from './open-temporal';
import type { WorkerTemporal } from './open-temporal';
import { startSamplesServer } from './samples-server';
import { watchSweeps } from './sweep-watch';
import { watchKnownGood } from './watch-known-good';
import { runUntilAborted, workerOptions } from './worker-options';

type ReadRegistry = ReturnType<typeof createRegistryQuery>;

/**
 * The monitor process: sweeps, quick checks, triage and the proof of recovery. Ends, in order, when `host.signal` aborts;
 * rejects when Temporal cannot be reached at the start or the worker fails.
 */
export async function runMonitorWorker(config: HarnessConfig, host: ProcessHost): Promise<void> {
  const temporal = await openTemporal(config, host.log);
  const samples = createSamples();
  const samplesServer = await startSamplesServer(samples, config.monitor.port ?? 0);
  try {
    const readRegistry = createRegistryQuery(temporal.access);
    const worker = await createWorker(config, temporal, samples, readRegistry, host.log);
    // The worker is the last to stop: what the watcher has begun still needs it.
    const stopWorker = new AbortController();
    const running = runUntilAborted(worker, stopWorker.signal);
    try {
      await Promise.race([running, work(config, temporal.access, samples, readRegistry, host)]);
    } finally {
      stopWorker.abort();
      await running;
    }
  } finally {
    await samplesServer.close();
    await temporal.close();
  }
}

async function createWorker(
  config: HarnessConfig,
  { native, access }: WorkerTemporal,
  samples: Samples,
  readRegistry: ReadRegistry,
  log: ProcessHost['log'],
): Promise<Worker> {
  const control = createControlClient(paths.controlSocket(config.dataDir));
  return await Worker.create(
    workerOptions({
      connection: native,
      namespace: access.namespace,
      queue: QUEUES.monitor,
      bundlePath: join(config.packageRoot, 'dist', 'workflow-bundle.js'),
      activities: createMonitorActivities({ config, access, control, samples, readRegistry, log }),
    }),
  );
}

/** Everything besides the worker itself; ends when the signal aborts, also in the middle of the preparation. */
async function work(
  config: HarnessConfig,
  access: TemporalAccess,
  samples: Samples,
  readRegistry: ReadRegistry,
  host: ProcessHost,
): Promise<void> {
  const prepared = await Promise.race([
    prepare(config, access, host.log).then(() => true),
    untilAborted(host.signal).then(() => false),
  ]);
  if (!prepared) return;
  const endWatch = watchSweeps(samples, config.monitor.intervalMs, host.log);
  host.ready();
  const copies = watchKnownGood(
    {
      services: config.services,
      dataDir: config.dataDir,
      control: createControlClient(paths.controlSocket(config.dataDir)),
      checksOf: (service) => checksOf(readRegistry, samples, service),
      now: () => new Date(),
      log: host.log,
    },
    config.monitor.intervalMs,
    host.signal,
  );
  const watcher = createExitWatcher({
    checkService: (service, cause) => checkService(access, service, cause),
    log: host.log,
  });
  await followControl(paths.controlSocket(config.dataDir), watcher, host.signal);
  await copies;
  endWatch();
}

async function checksOf(
  readRegistry: ReadRegistry,
  samples: Samples,
  service: string,
): Promise<CheckResult[][]> {
  const { items } = samples.read();
  return Object.values((await readRegistry()).invariants)
    .filter(({ definition }) => definition.enabled && definition.service === service)
    .map(({ definition }) => [...(items[definition.id] ?? [])]);
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

async function prepare(
  config: HarnessConfig,
  access: TemporalAccess,
  log: ProcessHost['log'],
): Promise<void> {
  const { hasChanged } = await ensureRegistry(access, config.invariants, () => new Date());
  if (hasChanged) log.info(`took over ${config.invariants.length} invariants from the configuration`);
  const { isPaused } = await ensureMonitorSchedule(access.client, config.monitor.intervalMs);
  if (isPaused) {
    log.error('the Temporal schedule "monitor" is paused: nothing is checked until somebody unpauses it');
  }
}

async function checkService(
  access: TemporalAccess,
  service: string,
  cause: RecheckRequest['cause'],
): Promise<void> {
  const input: CheckNowInput = { target: { kind: 'service', service } };
  const request: RecheckRequest = { cause };
  await access.client.workflow.signalWithStart(WORKFLOWS.checkNow, {
    workflowId: checkWorkflowId(input.target),
    taskQueue: QUEUES.monitor,
    args: [input],
    signal: SIGNALS.recheck,
    signalArgs: [request],
    staticSummary: `check ${service} now`,
  });
}
