import { Router } from 'express';
import { parseInvariant } from '../../config/invariant-schema';
import { dismissalOf } from '../../domain/dismissal';
import { isFlapping } from '../../domain/health';
import type { InvariantDefinition } from '../../domain/invariant';
import { pauseOf } from '../../domain/pause';
import type { RegisteredInvariant, RegistryState } from '../../domain/registry';
import type { WebDependencies } from '../dependencies';
import { invariantWire } from '../invariant-wire';
import { invalidInput, jsonBody } from '../parse-body';
import { invariantItem } from '../presenters';
import { notFound, Problem } from '../problem';
import { ticketWorkflowId } from '../../workflows/contract';

type Dependencies = Pick<
  WebDependencies,
  | 'registry'
  | 'openTickets'
  | 'samples'
  | 'components'
  | 'commands'
  | 'control'
  | 'refuseTarget'
  | 'serviceNames'
  | 'now'
>;

/** The invariants; what the file owns is changed in the file, the API says 409. A change takes effect in the next sweep. */
export function invariantRoutes(deps: Dependencies): Router {
  const router = Router();
  const at = () => deps.now().toISOString();

  async function present(registry: RegistryState, invariants: readonly RegisteredInvariant[]) {
    const [open, samples, stopped, components] = await Promise.all([
      deps.openTickets(),
      deps.samples(),
      stoppedServices(deps.control),
      deps.components(),
    ]);
    const isWatched = components.some(({ name, status }) => name === 'monitor' && status === 'ok');
    return invariants.map((invariant) => {
      const { id, service } = invariant.definition;
      const isStopped = service !== null && stopped.has(service);
      return invariantItem(invariant, {
        sample: samples?.items[id]?.at(-1) ?? null,
        openTicketId: open.get(id)?.ticketId ?? null,
        isWatched,
        pause:
          pauseOf(registry.pauses, invariant.definition, at()) ??
          (isStopped ? { by: `service ${service} is stopped`, until: null } : null),
        dismissal: dismissalOf(registry.dismissed, id, at()),
        isFlapping: isFlapping(invariant.health, at()),
      });
    });
  }

  async function presentOne(id: string) {
    const registry = await deps.registry.read();
    const [item] = await present(registry, [find(registry, id)]);
    return item;
  }

  router.get('/invariants', async (_request, response) => {
    const registry = await deps.registry.read();
    const sorted = Object.values(registry.invariants).sort((a, b) =>
      a.definition.id < b.definition.id ? -1 : 1,
    );
    response.json({ items: await present(registry, sorted), next_cursor: null });
  });

  router.post('/invariants', async (request, response) => {
    const definition = parseDefinition(jsonBody(request));
    await admit(definition);
    await deps.registry.change({ type: 'put', mode: 'create', at: at(), definition });
    response
      .status(201)
      .location(`/api/v1/invariants/${definition.id}`)
      .json(await presentOne(definition.id));
  });

  router.get('/invariants/:id', async (request, response) => {
    response.json(await presentOne(request.params.id));
  });

  router.patch('/invariants/:id', async (request, response) => {
    const { id } = request.params;
    const patch = asObject(jsonBody(request));
    const known = find(await deps.registry.read(), id);
    if (patch['id'] !== undefined && patch['id'] !== id) {
      throw invalidInput([
        { path: 'id', message: `id: an ID cannot be changed, got ${JSON.stringify(patch['id'])}` },
      ]);
    }
    const definition = parseDefinition(
      mergePatch(invariantWire(known.definition, { hideSecrets: false }), patch),
    );
    if (known.source === 'api') await admit(definition);
    await deps.registry.change({ type: 'put', mode: 'replace', at: at(), definition });
    response.json(await presentOne(id));
  });

  router.delete('/invariants/:id', async (request, response) => {
    const { id } = request.params;
    const { purge } = request.query;
    if (purge !== undefined && purge !== 'true' && purge !== 'false') {
      throw invalidInput(
        [{ path: 'purge', message: `purge: expected true or false, got ${JSON.stringify(purge)}` }],
        400,
      );
    }
    find(await deps.registry.read(), id);
    const isPurge = purge === 'true';
    await deps.registry.change(
      isPurge ? { type: 'remove', at: at(), id } : { type: 'set_enabled', at: at(), id, enabled: false },
    );
    await dismissTicket(id, isPurge ? 'its invariant was removed' : 'its invariant was disabled');
    if (isPurge) response.status(204).end();
    else response.json(await presentOne(id));
  });

  /** By workflow ID, not by a list: a ticket that has just opened may not be listed yet. */
  async function dismissTicket(invariantId: string, reason: string): Promise<void> {
    await deps.commands.cancel(
      { workflowId: ticketWorkflowId(invariantId) },
      { by: 'person', reason, mode: 'dismiss' },
    );
  }

  /** The file's own references are checked when it is read; these come from outside. */
  async function admit(definition: InvariantDefinition): Promise<void> {
    const { invariants } = await deps.registry.read();
    const problems: { path: string; message: string }[] = [];
    const refused = await deps.refuseTarget(definition);
    if (refused) problems.push({ path: 'query', message: `query: ${refused}` });
    const { service, suppressedBy } = definition;
    if (service !== null && !deps.serviceNames.includes(service)) {
      const known = deps.serviceNames.join(', ') || 'none';
      problems.push({
        path: 'service',
        message: `service: there is no service "${service}"; known: ${known}`,
      });
    }
    for (const id of suppressedBy.filter((candidate) => !Object.hasOwn(invariants, candidate))) {
      problems.push({ path: 'suppressed_by', message: `suppressed_by: there is no invariant "${id}"` });
    }
    if (problems.length > 0) throw invalidInput(problems);
  }

  return router;
}

/** Services that a person stopped; without a supervisor nobody knows of any. */
async function stoppedServices(control: Dependencies['control']): Promise<ReadonlySet<string>> {
  const { services } = await control.snapshot().catch(() => ({ services: [] }));
  return new Set(services.filter(({ desired }) => desired === 'stopped').map(({ name }) => name));
}

function find(state: RegistryState, id: string): RegisteredInvariant {
  const found = Object.hasOwn(state.invariants, id) ? state.invariants[id] : undefined;
  if (found) return found;
  throw notFound(`invariant ${JSON.stringify(id)}`, 'GET /api/v1/invariants lists them.');
}

function parseDefinition(raw: unknown): InvariantDefinition {
  const parsed = parseInvariant(raw);
  if (parsed.ok) return parsed.definition;
  throw invalidInput(parsed.problems);
}

function asObject(body: unknown): Readonly<Record<string, unknown>> {
  if (isObject(body)) return body;
  throw new Problem(422, 'Invalid input', 'Expected a JSON object with the fields to change.');
}

/** RFC 7396, one level deep as the definition is; null stays, because `service: null` has a meaning. */
function mergePatch(
  known: Readonly<Record<string, unknown>>,
  patch: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...known };
  for (const [key, value] of Object.entries(patch)) {
    const before = merged[key];
    merged[key] = isObject(value) && isObject(before) ? { ...before, ...value } : value;
  }
  return merged;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
