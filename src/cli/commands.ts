/* eslint-disable @typescript-eslint/no-require-imports --
   Each command's modules are loaded when it is called: --help must not wait for the Temporal SDK. In CommonJS output
   import() would load them late too, but asks for file extensions that the sources do not have. */
import type * as controlClient from '../client/control-client';
import type * as webClient from '../client/web-client';
import type * as loadConfig from '../config/load-config';
import type * as hostService from '../supervisor/host-service';
import type * as webProcess from '../web/web-process';
import type * as agentWorker from '../workers/agent-worker';
import type * as monitorWorker from '../workers/monitor-worker';
import type * as check from './check';
import type * as configPrint from './config-print';
import type * as demo from './demo';
import type * as doctor from './doctor';
import type * as invariants from './invariants';
import type * as logs from './logs';
import type * as pause from './pause';
import type * as run from './run';
import type * as runProcess from './run-process';
import type * as serviceControl from './service-control';
import type * as status from './status';
import type * as ticket from './ticket';
import type * as tickets from './tickets';

/** Every command's implementation, loaded on first use. */
export const commands = {
  agent: () => require('../workers/agent-worker') as typeof agentWorker,
  check: () => require('./check') as typeof check,
  configPrint: () => require('./config-print') as typeof configPrint,
  demo: () => require('./demo') as typeof demo,
  doctor: () => require('./doctor') as typeof doctor,
  hostService: () => require('../supervisor/host-service') as typeof hostService,
  invariants: () => require('./invariants') as typeof invariants,
  logs: () => require('./logs') as typeof logs,
  monitor: () => require('../workers/monitor-worker') as typeof monitorWorker,
  pause: () => require('./pause') as typeof pause,
  process: () => require('./run-process') as typeof runProcess,
  run: () => require('./run') as typeof run,
  serviceControl: () => require('./service-control') as typeof serviceControl,
  status: () => require('./status') as typeof status,
  ticket: () => require('./ticket') as typeof ticket,
  tickets: () => require('./tickets') as typeof tickets,
  web: () => require('../web/web-process') as typeof webProcess,
} as const;

/** What the context needs, loaded on first use too. */
export const lazy = {
  controlClient: () => require('../client/control-client') as typeof controlClient,
  loadConfig: () => require('../config/load-config') as typeof loadConfig,
  webClient: () => require('../client/web-client') as typeof webClient,
} as const;
