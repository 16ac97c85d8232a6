import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { ensureSearchAttributes } from '../../src/client/search-attributes';
import type { TemporalAccess } from '../../src/client/temporal';
import type { AgentActivities } from '../../src/workflows/agent-contract';
import type { MonitorActivities } from '../../src/workflows/contract';
import { QUEUES } from '../../src/workflows/contract';
import { temporalExecutable } from './temporal-cli';

const SOURCES = ['workflows', 'domain'].map((folder) => join(__dirname, '../../src', folder));

/** The workflows of the working tree, bundled once per content. */
export async function workflowBundle(): Promise<{ codePath: string }> {
  const hash = createHash('sha256');
  for (const folder of SOURCES) {
    for (const file of readdirSync(folder).sort()) hash.update(file).update(readFileSync(join(folder, file)));
  }
  const codePath = join(tmpdir(), `harness-test-bundle-${hash.digest('hex').slice(0, 16)}.js`);
  if (!existsSync(codePath)) {
    const { code } = await bundleWorkflowCode({
      workflowsPath: join(SOURCES[0] ?? '', 'index.ts'),
      logger: new DefaultLogger('ERROR'),
    });
    writeFileSync(`${codePath}.${process.pid}`, code);
    renameSync(`${codePath}.${process.pid}`, codePath);
  }
  return { codePath };
}

/** A real dev server with the product's search attributes. */
export async function startTemporal(...extraArgs: string[]): Promise<TestWorkflowEnvironment> {
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
  const env = await TestWorkflowEnvironment.createLocal({
    server: { executable: { type: 'existing-path', path: await temporalExecutable() }, extraArgs },
  });
  await ensureSearchAttributes(accessOf(env));
  return env;
}

/** The environment's server as the product's own readers want it. */
export function accessOf(env: TestWorkflowEnvironment): TemporalAccess {
  const { connection, client, address } = env;
  return { connection, client, address, namespace: 'default', close: () => Promise.resolve() };
}

/** A worker of this environment with the settings of the product; `activities` may be a part: what is missing fails loudly. */
export async function startWorker(
  env: TestWorkflowEnvironment,
  queue: keyof typeof QUEUES,
  activities: Partial<MonitorActivities & AgentActivities>,
): Promise<{ stop(): Promise<void> }> {
  const worker = await Worker.create({
    connection: env.nativeConnection,
    namespace: 'default',
    taskQueue: QUEUES[queue],
    workflowBundle: await workflowBundle(),
    activities: { ...activities },
    stickyQueueScheduleToStartTimeout: '1s',
    maxHeartbeatThrottleInterval: '500ms',
    shutdownGraceTime: '1s',
  });
  const running = worker.run();
  return {
    async stop() {
      worker.shutdown();
      await running;
    },
  };
}
