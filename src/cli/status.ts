import { z } from 'zod';
import type { ControlSnapshot } from '../domain/service-state';
import { errorText } from '../config/error-text';
import type { CliContext } from './context';
import { printJson } from './context';
import { EXIT } from './exit-codes';
import { invariantTable } from './invariants';
import { stateCell } from './paint';
import { serviceTable } from './service-control';
import { table } from './table';
import { ticketTable } from './tickets';
import type { InvariantWire, ServiceWire, TicketWire } from './wire';
import { invariantWire, listOf, parseAnswer, serviceWire, ticketWire } from './wire';

const componentWire = z.object({
  status: z.string(),
  detail: z.string().nullable().default(null),
});
const named = componentWire.extend({ name: z.string() });
const readyWire = z.object({ components: z.array(named).default([]) });
type ComponentWire = z.output<typeof named>;

interface Overview {
  readonly ready: boolean;
  readonly components: readonly ComponentWire[];
  readonly services: readonly ServiceWire[];
  readonly invariants: readonly InvariantWire[];
  readonly tickets: readonly TicketWire[];
}

/** One look at everything. Exit 0 when all is well, 3 when anything is not, 69 when no harness runs. */
export async function status(context: CliContext, input: { json?: boolean }): Promise<number> {
  const web = context.web();
  let ready: Awaited<ReturnType<typeof web.request>>;
  try {
    ready = await web.request('/ready', { answers: [503] });
  } catch (error) {
    return await withoutWeb(context, input, error);
  }
  // Each part on its own: what one server does not tell must not hide what the others do.
  const [services, invariants, tickets] = await Promise.all([
    part(web, '/api/v1/services', serviceWire),
    part(web, '/api/v1/invariants', invariantWire),
    part(web, '/api/v1/tickets?status=open', ticketWire),
  ]);
  const overview: Overview = {
    ready: ready.status === 200,
    components: parseAnswer(readyWire, ready.body, '/ready').components,
    services: services.items,
    invariants: invariants.items,
    tickets: tickets.items,
  };
  const missing = [services, invariants, tickets].flatMap(({ problem }) =>
    problem === null ? [] : [problem],
  );
  const findings = [...findingsOf(overview), ...missing];
  if (input.json) {
    printJson(context, {
      ok: findings.length === 0,
      findings,
      ready: ready.body,
      services: services.raw,
      invariants: invariants.raw,
      open_tickets: tickets.raw,
    });
  } else {
    print(context, overview, findings);
  }
  return findings.length === 0 ? EXIT.ok : EXIT.unhealthy;
}

interface Part<T> {
  readonly items: readonly T[];
  readonly raw: unknown;
  readonly problem: string | null;
}

/** One list; empty, with the reason, when it cannot be had. */
async function part<T extends z.ZodType>(
  web: ReturnType<CliContext['web']>,
  path: string,
  item: T,
): Promise<Part<z.output<T>>> {
  try {
    const { body } = await web.request(path);
    return { items: parseAnswer(listOf(item), body, path).items, raw: itemsOf(body), problem: null };
  } catch (error) {
    return { items: [], raw: null, problem: `${path} cannot be read: ${errorText(error)}` };
  }
}

/** What is wrong, a line each; empty when all is well. A stopped service that shall be stopped is well. */
function findingsOf({ ready, components, services, invariants, tickets }: Overview): string[] {
  const bad = components.filter((component) => component.status !== 'ok');
  return [
    ...bad.map(
      ({ name, status: state, detail }) => `${name} is ${state}${detail === null ? '' : `: ${detail}`}`,
    ),
    ...(!ready && bad.length === 0 ? ['the harness is not ready'] : []),
    ...services
      .filter((service) => service.desired === 'running' && service.state !== 'external' && !service.ready)
      .map((service) => `service ${service.name} is ${service.state} and not ready`),
    ...invariants
      .filter((invariant) => invariant.enabled && !['up', 'paused'].includes(invariant.state))
      .map((invariant) => `invariant ${invariant.id} is ${invariant.state}`),
    ...tickets.map((ticket) => `ticket ${ticket.id} is ${ticket.status}`),
  ];
}

function print(context: CliContext, overview: Overview, findings: readonly string[]): void {
  const { colors, out } = context;
  const rows = overview.components.map(({ name, status: state, detail }) => [
    name,
    stateCell(state, colors),
    detail ?? '',
  ]);
  const services = overview.services.map(({ started_at, ...service }) => ({
    ...service,
    startedAt: started_at,
  }));
  const parts = [
    rows.length === 0 ? '' : table(['COMPONENT', 'STATUS', 'DETAIL'], rows, colors),
    services.length === 0 ? '' : serviceTable(context, services),
    overview.invariants.length === 0 ? '' : invariantTable(context, overview.invariants),
    overview.tickets.length === 0 ? '' : ticketTable(context, overview.tickets),
  ];
  out.write(`${parts.filter((part) => part !== '').join('\n')}\n`);
  out.write(
    findings.length === 0
      ? `${colors.green('all is well')}\n`
      : findings.map((finding) => `${colors.red('!')} ${finding}\n`).join(''),
  );
}

/** The web process does not answer; the supervisor may still know what is up. */
async function withoutWeb(context: CliContext, input: { json?: boolean }, cause: unknown): Promise<number> {
  let snapshot: ControlSnapshot;
  try {
    snapshot = await context.control().snapshot();
  } catch {
    throw cause;
  }
  context.err.write(
    `the web process gives no answer (${errorText(cause)}); this is what the supervisor knows\n`,
  );
  if (input.json) {
    printJson(context, { ok: false, findings: ['the web process gives no answer'], supervisor: snapshot });
    return EXIT.unhealthy;
  }
  const rows = snapshot.components.map(({ name, state, pid, exit }) => [
    name,
    stateCell(state, context.colors),
    pid === null ? '-' : String(pid),
    exit === null ? '-' : `${exit.signal ?? `code ${exit.code ?? '?'}`} at ${exit.at}`,
  ]);
  if (rows.length > 0) {
    context.out.write(`${table(['COMPONENT', 'STATE', 'PID', 'LAST EXIT'], rows, context.colors)}\n`);
  }
  context.out.write(serviceTable(context, snapshot.services));
  return EXIT.unhealthy;
}

function itemsOf(body: unknown): unknown {
  return typeof body === 'object' && body !== null && 'items' in body ? body.items : body;
}
