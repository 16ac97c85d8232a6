import { Argument, Command, Option } from 'commander';
import type { ServiceAction } from '../domain/service-state';
import { SERVICE_ACTIONS } from '../domain/service-state';
import { PRIORITIES } from '../domain/invariant';
import { TICKET_STATUSES } from '../domain/ticket';
import { commands } from './commands';
import { DEMO_FAULTS } from './demo-faults';
import type { DemoInput } from './demo';
import type { RunInput } from './run';
import type { CliContext, GlobalFlags, Streams } from './context';

export interface ProgramOptions {
  readonly streams: Streams;
  readonly contextOf: (flags: GlobalFlags) => CliContext;
  /** Receives the exit code of the command that ran. */
  readonly finish: (exitCode: number) => void;
}

interface JsonFlag {
  readonly json?: boolean;
}

/** The command line as a tree: names, arguments, help. What a command does stands in its own module. */
export function createProgram({ streams, contextOf, finish }: ProgramOptions): Command {
  const program = new Command('harness')
    .description('Watches services, notices when one breaks, repairs it with proof.')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => streams.out.write(text),
      writeErr: (text) => streams.err.write(text),
    })
    .option('-c, --config <file>', 'configuration file (default: ./harness.yaml, else the built-in demo)')
    .option('--data-dir <folder>', 'where everything is kept (default: ./data)')
    .option('--log-level <level>', 'trace, debug, info, warn, error, fatal or silent')
    .showHelpAfterError('(--help shows what is possible)');

  const context = () => contextOf(program.opts<GlobalFlags>());
  /** Wraps an implementation: the context goes in, the exit code comes out. */
  const act =
    <A extends unknown[]>(implementation: (context: CliContext, ...args: A) => Promise<number>) =>
    async (...args: A): Promise<void> =>
      finish(await implementation(context(), ...args));
  const json = () => new Option('--json', 'print the data as JSON');

  addProcesses(program, act);
  addService(program.command('service'), act, json);
  program
    .command('status')
    .description('one look at everything; exit 3 when anything is not well')
    .addOption(json())
    .action(act((ctx, input: JsonFlag) => commands.status().status(ctx, input)));
  addTickets(program, act, json);
  addInvariants(program.command('invariants'), act, json);
  program
    .command('check')
    .description('probe one invariant now; exit 3 when it does not hold')
    .argument('<id>')
    .addOption(json())
    .action(act((ctx, id: string, input: JsonFlag) => commands.check().check(ctx, id, input)));
  addPauses(program, act, json);
  program
    .command('logs')
    .description('stored log lines of a service, or of all')
    .argument('[service]')
    .option('-n, --limit <number>', 'how many of the last lines', '100')
    .option('-f, --follow', 'go on with new lines until Ctrl-C')
    .addOption(json())
    .action(
      act((ctx, name: string | undefined, input: JsonFlag & { limit?: string; follow?: boolean }) =>
        commands.logs().logs(ctx, name, input),
      ),
    );
  program
    .command('config')
    .description('the configuration')
    .command('print')
    .description('the effective configuration, secrets masked')
    .addOption(json())
    .action(act((ctx, input: JsonFlag) => commands.configPrint().configPrint(ctx, input)));
  program
    .command('doctor')
    .description('look for what would keep the harness from running')
    .addOption(json())
    .action(act((ctx, input: JsonFlag) => commands.doctor().doctor(ctx, input)));
  program
    .command('demo')
    .description('break the demo service, watch the harness repair it, check each promise')
    .addOption(new Option('--fault <fault>', 'what to break').choices(DEMO_FAULTS).default('kill'))
    .option('--keep', 'keep the data directory')
    .addOption(json())
    .action(act((ctx, input: DemoInput) => commands.demo().demo(ctx, input)));
  return program;
}

type Act = <A extends unknown[]>(
  implementation: (context: CliContext, ...args: A) => Promise<number>,
) => (...args: A) => Promise<void>;

function addProcesses(program: Command, act: Act): void {
  program
    .command('run')
    .description('start everything: Temporal, the services, monitor, agent and web')
    .option('-p, --port <port>', 'port of the web server (0: any free one)')
    .option('--no-service', 'do not start the services')
    .option('-q, --quiet', 'do not show the output of the children')
    .option('--json', 'the ready line as JSON')
    .option(
      '--abandon-open-tickets',
      'start empty although a database of another Temporal version has open tickets',
    )
    .action(act((ctx, input: RunInput) => commands.run().run(ctx, input)));
  const processes = [
    ['web', 'the web server alone', () => commands.web().runWebProcess],
    ['monitor', 'the monitor alone', () => commands.monitor().runMonitorWorker],
    ['agent', 'the agent alone', () => commands.agent().runAgentWorker],
  ] as const;
  for (const [name, description, load] of processes) {
    program
      .command(name)
      .description(description)
      .action(act((ctx) => commands.process().runProcess(ctx, name, load())));
  }
}

function addService(service: Command, act: Act, json: () => Option): void {
  service
    .description('host one service in the foreground, or order the running supervisor')
    .argument('[name]', 'service to host (default: rate_limiter)')
    .action(
      act((ctx, name: string | undefined) =>
        commands
          .process()
          .runProcess(ctx, name ?? 'service', (config, host) =>
            commands.hostService().hostService(config, name, host),
          ),
      ),
    );
  service
    .command('list')
    .description('services and their processes')
    .addOption(json())
    .action(act((ctx, input: JsonFlag) => commands.serviceControl().serviceStatus(ctx, undefined, input)));
  service
    .command('status')
    .description('one service; exit 3 when it is not ready')
    .argument('<name>')
    .addOption(json())
    .action(
      act((ctx, name: string, input: JsonFlag) => commands.serviceControl().serviceStatus(ctx, name, input)),
    );
  for (const action of SERVICE_ACTIONS) {
    service
      .command(action)
      .description(descriptionOf(action))
      .argument('<name>')
      .addOption(json())
      .action(
        act((ctx, name: string, input: JsonFlag) =>
          commands.serviceControl().serviceAct(ctx, action, name, input),
        ),
      );
  }
}

function descriptionOf(action: ServiceAction): string {
  return `${action} a service and wait until it is done`;
}

function addTickets(program: Command, act: Act, json: () => Option): void {
  program
    .command('tickets')
    .description('tickets, newest first')
    .addOption(new Option('--status <status>', 'only these').choices(['open', ...TICKET_STATUSES]))
    .option('--invariant <id>', 'only of this invariant')
    .option('--limit <number>', 'how many at most')
    .addOption(json())
    .action(
      act((ctx, input: JsonFlag & { status?: string; invariant?: string; limit?: string }) =>
        commands.tickets().tickets(ctx, input),
      ),
    );
  const ticket = program.command('ticket').description('one ticket');
  ticket
    .command('show')
    .description('its story: what was wrong, what was done, how it ended')
    .argument('<id>')
    .addOption(json())
    .action(act((ctx, id: string, input: JsonFlag) => commands.ticket().ticketShow(ctx, id, input)));
  ticket
    .command('note')
    .description('tell the agent something')
    .argument('<id>')
    .argument('<text...>')
    .action(
      act((ctx, id: string, words: string[]) => commands.ticket().ticketNote(ctx, id, words.join(' '))),
    );
  ticket
    .command('cancel')
    .description(
      'stop the work on it and close it; a failure that lasts gets a new one after monitor.cooldown',
    )
    .argument('<id>')
    .option('--reason <text>', 'kept on the ticket')
    .action(
      act((ctx, id: string, input: { reason?: string }) => commands.ticket().ticketCancel(ctx, id, input)),
    );
  ticket
    .command('dismiss')
    .description('close it; no new one until the invariant has been up once')
    .argument('<id>')
    .option('--reason <text>', 'kept on the ticket')
    .action(
      act((ctx, id: string, input: { reason?: string }) => commands.ticket().ticketDismiss(ctx, id, input)),
    );
  ticket
    .command('retry')
    .description('begin the next attempt of a blocked one now')
    .argument('<id>')
    .action(act((ctx, id: string) => commands.ticket().ticketRetry(ctx, id)));
  ticket
    .command('undo')
    .description('put the files that it edited back as it found them; it is closed or blocked')
    .argument('<id>')
    .option('--reason <text>', 'kept on the ticket')
    .addOption(json())
    .action(
      act((ctx, id: string, input: JsonFlag & { reason?: string }) =>
        commands.ticket().ticketUndo(ctx, id, input),
      ),
    );
}

function addPauses(program: Command, act: Act, json: () => Option): void {
  program
    .command('pause')
    .description('do not watch an invariant or a service (default: everything) for a while')
    .argument('[target]', 'ID of an invariant or name of a service')
    .option('--for <duration>', 'such as 30m or 1h (default: until it is resumed)')
    .addOption(json())
    .action(
      act((ctx, target: string | undefined, input: JsonFlag & { for?: string }) =>
        commands.pause().pause(ctx, target, input),
      ),
    );
  program
    .command('resume')
    .description('watch it again (default: everything that is paused)')
    .argument('[target]', 'what was paused')
    .addOption(json())
    .action(
      act((ctx, target: string | undefined, input: JsonFlag) => commands.pause().resume(ctx, target, input)),
    );
}

function addInvariants(invariants: Command, act: Act, json: () => Option): void {
  const fields = (command: Command): Command =>
    command
      .option('--name <text>')
      .option('--description <text>')
      .option('--service <name>', 'the service it is about')
      .addOption(new Option('--priority <priority>').choices(PRIORITIES))
      .option('--timeout <duration>', 'for one probe, such as 2s')
      .addOption(new Option('--enabled <yes>').choices(['true', 'false']))
      .addOption(json());
  type Options = Parameters<ReturnType<typeof commands.invariants>['invariantsAdd']>[2];

  invariants.description('rules that must always hold');
  invariants
    .command('list', { isDefault: true })
    .description('all of them, with their state (the default)')
    .addOption(json())
    .action(act((ctx, input: JsonFlag) => commands.invariants().invariantsList(ctx, input)));
  fields(invariants.command('add').description('watch something new').addArgument(new Argument('<id>')))
    .requiredOption('--query <query>', 'http(s)://…, latency:http(s)://… or tcp://host:port')
    .requiredOption('--condition <cel>', 'what must be true, such as "status == 200"')
    .action(act((ctx, id: string, input: Options) => commands.invariants().invariantsAdd(ctx, id, input)));
  fields(invariants.command('set').description('change the named fields').addArgument(new Argument('<id>')))
    .option('--query <query>', 'http(s)://…, latency:http(s)://… or tcp://host:port')
    .option('--condition <cel>', 'what must be true, such as "status == 200"')
    .action(act((ctx, id: string, input: Options) => commands.invariants().invariantsSet(ctx, id, input)));
  invariants
    .command('remove')
    .description('stop watching: disable it, or remove it with --purge')
    .argument('<id>')
    .option('--purge', 'remove it for good; an open ticket of it is dismissed')
    .action(
      act((ctx, id: string, input: { purge?: boolean }) =>
        commands.invariants().invariantsRemove(ctx, id, input),
      ),
    );
}
