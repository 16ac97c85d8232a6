import type { Logger } from 'pino';
import { createControlClient } from '../client/control-client';
import { readEndpoints } from '../client/endpoints';
import type { Endpoints } from '../client/endpoints';
import { readMonitorSamples } from '../client/monitor-samples';
import { createSpendReader } from '../client/spend-reader';
import type { TemporalAccess } from '../client/temporal';
import { createTicketReader, temporalTickets } from '../client/tickets';
import type { HarnessConfig, ServiceConfig } from '../config/config';
import { readEnvironment } from '../config/environment';
import { knownSecrets } from '../config/known-secrets';
import { paths } from '../config/paths';
import { createRedactor } from '../domain/redaction';
import { checkNow } from './check-now';
import { readComponents } from './components';
import type { WebDependencies } from './dependencies';
import { openTickets } from './open-tickets';
import { createRefuseTarget } from './refuse-target';
import { registryAccess } from './registry-access';
import { ticketCommands } from './ticket-commands';
import { undoEdits } from './undo-edits';

/** A list of many histories may take this long; everything else is quick or has its own deadline. */
const READ_DEADLINE_MS = 10_000;

export interface WebSetup {
  readonly config: Pick<HarnessConfig, 'dataDir' | 'web' | 'monitor' | 'invariants' | 'agent'> & {
    readonly services: readonly Pick<ServiceConfig, 'name' | 'env'>[];
  };
  readonly access: TemporalAccess;
  readonly token: string;
  readonly log: Logger;
}

/** The real things behind the app. Endpoints are read anew each time: parts of the harness come and go. */
export function createWebDependencies({ config, access, token, log }: WebSetup): WebDependencies {
  const { dataDir } = config;
  const endpoints = (): Promise<Endpoints | null> => readEndpoints(dataDir).catch(() => null);
  const inTime = <T>(work: () => Promise<T>): Promise<T> =>
    access.connection.withDeadline(Date.now() + READ_DEADLINE_MS, work);
  const tickets = createTicketReader({
    source: temporalTickets(access, dataDir),
    namespace: access.namespace,
    dataDir,
    uiUrl: async () => (await endpoints())?.temporalUiUrl ?? null,
  });
  const control = createControlClient(paths.controlSocket(dataDir));
  const now = () => new Date();
  return {
    tickets: {
      list: (query) => inTime(() => tickets.list(query)),
      get: (id) => inTime(() => tickets.get(id)),
      trajectory: (id) => inTime(() => tickets.trajectory(id)),
    },
    openTickets: () => inTime(() => openTickets(access)),
    commands: ticketCommands(access),
    undoEdits: (input) => undoEdits(access, input),
    registry: registryAccess(access),
    refuseTarget: createRefuseTarget(endpoints),
    serviceNames: config.services.map((service) => service.name),
    checkNow: (invariantId) => checkNow(access, invariantId),
    control,
    samples: async () => readMonitorSamples((await endpoints())?.monitorUrl ?? null),
    components: () => readComponents(access, control, { intervalMs: config.monitor.intervalMs, now }),
    spend: createSpendReader(dataDir, now),
    budget: config.agent.budget,
    redact: createRedactor({ secrets: knownSecrets(readEnvironment(), config) }),
    now,
    cooldownMs: config.monitor.cooldownMs,
    log,
    web: { host: config.web.host, token, tokenFile: paths.token(dataDir) },
  };
}
