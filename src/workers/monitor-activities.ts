import type { Logger } from 'pino';
import { createAnalyzeFailure } from '../activities/analyst';
import { createAskAnalyst } from '../activities/ask-analyst';
import { createCheckInvariants } from '../activities/check-invariants';
import { createCollectEvidence } from '../activities/evidence';
import { createModelCall } from '../activities/claude/model-call';
import { createSpendLedger } from '../activities/claude/spend-ledger';
import { describeChanges } from '../activities/describe-changes';
import { createEditConfinements } from '../activities/editable-files';
import { createFingerprint } from '../activities/fingerprint';
import { createPortIdentity } from '../activities/port-identity';
import { createProbe } from '../activities/probe';
import {
  listClosedTickets,
  listOpenTickets,
  listOpenTriages,
  signalTransitions,
} from '../activities/registry-access';
import type { Samples } from '../activities/samples';
import { readMetricSamples } from '../activities/tools/query-metrics';
import { createVerifyRecovery } from '../activities/verify-recovery';
import { newTicketId } from '../client/ticket-id';
import { readLogTail } from '../client/log-reader';
import { RUN_MARK } from '../client/process-mark';
import type { TemporalAccess } from '../client/temporal';
import { createTicketReader, temporalTickets } from '../client/tickets';
import { activeBrain } from '../config/active-brain';
import type { HarnessConfig } from '../config/config';
import { readEnvironment } from '../config/environment';
import { knownSecrets } from '../config/known-secrets';
import { resolveSecrets } from '../config/secrets';
import { createRedactor } from '../domain/redaction';
import type { RegistryState } from '../domain/registry';
import type { Control } from '../domain/service-state';
import type { MonitorActivities } from '../workflows/contract';

/** Shorter than the activity's own time, which would repeat the call. */
const ANALYST_LIMIT_MS = 55_000;
/** As many as evidence names; each costs a history. */
const EARLIER_TICKETS = 5;

export interface MonitorParts {
  readonly config: HarnessConfig;
  readonly access: TemporalAccess;
  readonly control: Control;
  readonly samples: Samples;
  readonly readRegistry: () => Promise<RegistryState>;
  readonly log: Logger;
}

/** The activities of the queue `harness-monitor`, put together. */
export function createMonitorActivities({
  config,
  access,
  control,
  samples,
  readRegistry,
  log,
}: MonitorParts): MonitorActivities {
  const now = (): Date => new Date();
  const environment = readEnvironment();
  const redact = createRedactor({ secrets: knownSecrets(environment, config) });
  const probe = createProbe({
    now,
    resolveSecret: (value) => resolveSecrets(value, environment),
    redact,
  });
  const lookAtPorts = createPortIdentity(config.services, { runId: environment[RUN_MARK] ?? null });
  const limits = new Map(config.services.map(({ name, restartLimit }) => [name, restartLimit.withinMs]));
  const services = new Map(config.services.map((service) => [service.name, service]));
  const confinements = createEditConfinements(config.services);
  // With the runbook as first brain nothing waits for a model.
  const asksModel = activeBrain(config).brains[0] === 'claude';
  const call = asksModel
    ? createModelCall({ claude: config.claude, profile: config.agent.profile, redact, now })
    : null;
  const tickets = createTicketReader({
    source: temporalTickets(access, config.dataDir),
    namespace: access.namespace,
    dataDir: config.dataDir,
    uiUrl: () => Promise.resolve(null),
  });
  return {
    checkInvariants: createCheckInvariants({
      readRegistry,
      snapshot: () => control.snapshot(),
      openTickets: () => listOpenTickets(access),
      openTriages: () => listOpenTriages(access),
      probe,
      lookAtPorts,
      takeFingerprint: createFingerprint(config.services, lookAtPorts),
      samples,
      now,
      log,
      concurrency: config.monitor.concurrency,
    }),
    verifyRecovery: createVerifyRecovery({
      readRegistry,
      sendTransitions: (at, transitions) => signalTransitions(access, at, transitions),
      snapshot: () => control.snapshot(),
      probe,
      lookAtPorts,
      samples,
      now,
    }),
    collectEvidence: createCollectEvidence({
      control,
      openTickets: () => listOpenTickets(access),
      readLogs: async (service, limit) => (await readLogTail(config.dataDir, service, { limit })).lines,
      earlierTickets: async (invariant) => {
        const { items } = await tickets.list({ invariant, limit: EARLIER_TICKETS });
        return items.filter(({ closedAt }) => closedAt !== null);
      },
      whatChanged: async (name, signal) => {
        const service = services.get(name);
        if (!service || service.files.edit.length === 0) return null;
        return await describeChanges(config.dataDir, service, confinements.get(name), signal);
      },
      readMetrics: asksModel
        ? async (name, signal) => {
            const url = services.get(name)?.metricsUrl ?? null;
            return url === null ? [] : await readMetricSamples(url, signal);
          }
        : null,
      readRegistry,
      dependsOn: (name) => services.get(name)?.dependsOn ?? [],
      closedTickets: (service, since) => listClosedTickets(access, service, since),
      relapsesWithinMs: (service) => limits.get(service) ?? 0,
      cooldownMs: config.monitor.cooldownMs,
      redact,
      now,
      newId: newTicketId,
    }),
    analyzeFailure: createAnalyzeFailure({
      describeInvariant: async (id) => (await readRegistry()).invariants[id]?.definition.description ?? '',
      forceOpenAfterMs: config.analyst.forceOpenAfterMs,
      openByMs: call ? config.analyst.openByMs : null,
      now,
    }),
    askAnalyst: createAskAnalyst(
      call && {
        call,
        ledger: createSpendLedger(config.dataDir, now),
        usdPerDay: config.agent.budget.usdPerDay,
        profile: config.agent.profile,
        model: config.analyst.model,
        effort: config.analyst.effort,
        redact,
        now,
        log,
        limitMs: ANALYST_LIMIT_MS,
      },
    ),
  };
}
