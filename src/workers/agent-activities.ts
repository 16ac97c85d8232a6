import { hostname } from 'node:os';
import type { Logger } from 'pino';
import { archiveActivity } from '../activities/archive';
import { createAuditLog } from '../activities/audit';
import { createClaudeBrain } from '../activities/claude/claude-brain';
import { createModelCall } from '../activities/claude/model-call';
import { createSpendLedger } from '../activities/claude/spend-ledger';
import { createDecideActivity } from '../activities/decide';
import { whileHeartbeating } from '../activities/heartbeat';
import { keepRunActivity } from '../activities/keep-run';
import { createPortIdentity } from '../activities/port-identity';
import { createProbe } from '../activities/probe';
import type { BrainTurn } from '../activities/propose-step';
import { createProposeStep, runbookBrain } from '../activities/propose-step';
import { createToolActivities } from '../activities/tools';
import { TRUSTED_DIRECTORIES } from '../activities/tools/find-program';
import type { ToolDeps } from '../activities/tools/tool';
import { createControlClient } from '../client/control-client';
import { fetchRun } from '../client/history';
import { readLogTail } from '../client/log-reader';
import { marksOf, RUN_MARK } from '../client/process-mark';
import { createRegistryReader } from '../client/registry-reader';
import type { TemporalAccess } from '../client/temporal';
import { createHistoryReader } from '../client/ticket-history';
import type { HistoryReader } from '../client/ticket-history';
import { createTicketReader, temporalTickets } from '../client/tickets';
import { requireBrains } from '../config/active-brain';
import type { HarnessConfig } from '../config/config';
import { readEnvironment } from '../config/environment';
import { knownSecrets } from '../config/known-secrets';
import { paths } from '../config/paths';
import { resolveSecrets } from '../config/secrets';
import { pauseOf } from '../domain/pause';
import type { Redact } from '../domain/redaction';
import { createRedactor } from '../domain/redaction';
import type { RegistryState } from '../domain/registry';
import { isAtWork } from '../domain/ticket';
import type { AgentActivities } from '../workflows/agent-contract';

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
  const readRegistry = createRegistryReader(access);
  const agent = `${hostname()}/${process.pid}`;
  const brains = requireBrains(config);
  const readHistory = createHistoryReader(access, config.dataDir);
  const tickets = createTicketReader({
    source: temporalTickets(access, config.dataDir),
    namespace: access.namespace,
    dataDir: config.dataDir,
    uiUrl: () => Promise.resolve(null),
  });
  const decide = beating(
    createDecideActivity({
      services: config.services,
      audit,
      pauseOf: async ({ invariantId: id, service }) =>
        pauseOf((await readRegistry()).pauses, { id, service }, now().toISOString()),
    }),
  );
  return {
    ...createToolActivities({
      services: config.services,
      control: createControlClient(paths.controlSocket(config.dataDir)),
      dataDir: config.dataDir,
      readLogs: readLogTail,
      probe: invariantProbe(readRegistry, redact),
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
    ...archiveActivity({ readHistory, dataDir: config.dataDir, log }),
    ...keepRunActivity({
      readRun: (workflowId, runId) => fetchRun(access, workflowId, runId),
      dataDir: config.dataDir,
      log,
    }),
    claimTicket: (ticket) => {
      log.info({ ticket: ticket.ticketId, service: ticket.service }, `took ticket ${ticket.ticketId}`);
      // The first look needs it: read meanwhile. If that fails, the look says so.
      readRegistry().catch(() => undefined);
      const { retryAfterMs, budget } = config.agent;
      return Promise.resolve({ agent, brain: brains[0], brains, maxTurns: budget.turns, retryAfterMs });
    },
    proposeStep: createProposeStep(
      {
        runbook: runbookBrain({ now, services: config.services }),
        claude: claudeBrain({ config, readHistory, redact, now, log }),
      },
      decide,
    ),
    decide,
  };
}

/** Null without a key: then no ticket is claimed for it. */
function claudeBrain({
  config,
  readHistory,
  redact,
  now,
  log,
}: Pick<AgentParts, 'config' | 'log'> & {
  readonly readHistory: HistoryReader;
  readonly redact: Redact;
  readonly now: () => Date;
}): BrainTurn | null {
  const call = createModelCall({ claude: config.claude, profile: config.agent.profile, redact, now });
  if (call === null) return null;
  return createClaudeBrain({
    call,
    agent: config.agent,
    ledger: createSpendLedger(config.dataDir, now),
    readHistory,
    redact,
    log,
  });
}

/** The registry of a busy server, and a slow disk, may take longer than a heartbeat may be late. */
function beating<Input, Output>(activity: (input: Input) => Promise<Output>) {
  return (input: Input): Promise<Output> => whileHeartbeating(() => activity(input));
}

/** Probes an invariant as the registry has it now; read from history, so that it works with the monitor down. */
function invariantProbe(
  readRegistry: () => Promise<RegistryState>,
  redact: (text: string) => string,
): ToolDeps['probe'] {
  const environment = readEnvironment();
  const probe = createProbe({
    now: () => new Date(),
    resolveSecret: (value) => resolveSecrets(value, environment),
    redact,
  });
  return async (invariantId, ownerOf, limitMs = Infinity) => {
    const entry = (await readRegistry()).invariants[invariantId];
    if (!entry) return null;
    const timeoutMs = Math.min(entry.definition.timeoutMs, limitMs);
    return await probe(entry, { timeoutMs, signal: AbortSignal.timeout(timeoutMs + 1_000), ownerOf });
  };
}
