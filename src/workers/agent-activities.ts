import { hostname } from 'node:os';
import type { Logger } from 'pino';
import { createArchiveActivity } from '../activities/archive';
import { createAuditLog } from '../activities/audit';
import { createDecideActivity } from '../activities/decide';
import { whileHeartbeating } from '../activities/heartbeat';
import type { OwnerOf } from '../activities/port-identity';
import { createPortIdentity } from '../activities/port-identity';
import { createProbe } from '../activities/probe';
import { createProposeStep, runbookBrain } from '../activities/propose-step';
import { createToolActivities } from '../activities/tools';
import { TRUSTED_DIRECTORIES } from '../activities/tools/find-program';
import { createControlClient } from '../client/control-client';
import { readLogTail } from '../client/log-reader';
import { marksOf, RUN_MARK } from '../client/process-mark';
import { readRegistry } from '../client/registry-reader';
import type { TemporalAccess } from '../client/temporal';
import { createTicketReader, temporalTickets } from '../client/tickets';
import { activeBrain } from '../config/active-brain';
import type { HarnessConfig } from '../config/config';
import { readEnvironment } from '../config/environment';
import { knownSecrets } from '../config/known-secrets';
import { paths } from '../config/paths';
import { resolveSecrets } from '../config/secrets';
import type { CheckResult } from '../domain/check';
import { pauseOf } from '../domain/pause';
import { createRedactor } from '../domain/redaction';
import { isAtWork } from '../domain/ticket';
import type { AgentActivities } from '../workflows/contract';

export interface AgentParts {
  readonly config: HarnessConfig;
  readonly access: TemporalAccess;
  readonly log: Logger;
}

/** The activities of the queue `harness-agent`, put together. */
export function createAgentActivities({ config, access, log }: AgentParts): AgentActivities {
  const now = (): Date => new Date();
  const environment = readEnvironment();
  const redact = createRedactor({ secrets: knownSecrets(environment, config) });
  const audit = createAuditLog({ file: paths.audit(config.dataDir), redact, now });
  const agent = `${hostname()}/${process.pid}`;
  const tickets = createTicketReader({
    source: temporalTickets(access),
    namespace: access.namespace,
    dataDir: config.dataDir,
    uiUrl: () => Promise.resolve(null),
  });
  return {
    ...createToolActivities({
      services: config.services,
      control: createControlClient(paths.controlSocket(config.dataDir)),
      dataDir: config.dataDir,
      readLogs: readLogTail,
      probe: invariantProbe(access, redact),
      lookAtPorts: createPortIdentity(config.services, { runId: environment[RUN_MARK] ?? null }),
      isAtWork: async (ticketId) => {
        const trajectory = await tickets.trajectory(ticketId);
        return trajectory !== null && isAtWork(trajectory);
      },
      commands: { directories: TRUSTED_DIRECTORIES, marks: marksOf(environment) },
      redact,
      audit,
      now,
      log,
    }),
    ...createArchiveActivity({ access, dataDir: config.dataDir, log }),
    claimTicket: (ticket) => {
      log.info({ ticket: ticket.ticketId, service: ticket.service }, `took ticket ${ticket.ticketId}`);
      const { retryAfterMs, turns } = config.agent;
      return Promise.resolve({ agent, brain: activeBrain(config).brain, maxTurns: turns, retryAfterMs });
    },
    proposeStep: createProposeStep({
      runbook: runbookBrain({ now, services: config.services }),
      claude: null,
    }),
    decide: beating(
      createDecideActivity({
        services: config.services,
        audit,
        pauseOf: async ({ invariantId: id, service }) =>
          pauseOf((await readRegistry(access)).pauses, { id, service }, now().toISOString()),
      }),
    ),
  };
}

/** Reading the registry of a busy server may take longer than a heartbeat may be late. */
function beating<Input, Output>(activity: (input: Input) => Promise<Output>) {
  return (input: Input): Promise<Output> => whileHeartbeating(() => activity(input));
}

/** Probes an invariant as the registry has it now; read from history, so that it works with the monitor down. */
function invariantProbe(
  access: TemporalAccess,
  redact: (text: string) => string,
): (invariantId: string, ownerOf: OwnerOf) => Promise<CheckResult | null> {
  const environment = readEnvironment();
  const probe = createProbe({
    now: () => new Date(),
    resolveSecret: (value) => resolveSecrets(value, environment),
    redact,
  });
  return async (invariantId, ownerOf) => {
    const entry = (await readRegistry(access)).invariants[invariantId];
    if (!entry) return null;
    const { timeoutMs } = entry.definition;
    return await probe(entry, { timeoutMs, signal: AbortSignal.timeout(timeoutMs + 1_000), ownerOf });
  };
}
