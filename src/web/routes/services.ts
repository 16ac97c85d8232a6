import { Router } from 'express';
import { pauseOf } from '../../domain/pause';
import type { ServiceAction, ServiceStatus } from '../../domain/service-state';
import { SERVICE_ACTIONS } from '../../domain/service-state';
import type { WebDependencies } from '../dependencies';
import { jsonBody } from '../parse-body';
import { serviceItem } from '../presenters';
import { notFound, Problem } from '../problem';

/** The services of the supervisor; an action answers when it is done. */
export function serviceRoutes({
  control,
  registry,
  now,
}: Pick<WebDependencies, 'control' | 'registry' | 'now'>): Router {
  const router = Router();

  async function find(name: string): Promise<ServiceStatus> {
    const { services } = await control.snapshot();
    const found = services.find((service) => service.name === name);
    if (found) return found;
    const known = services.map((service) => service.name).join(', ') || 'none';
    throw notFound(`service ${JSON.stringify(name)}`, `Configured: ${known}.`);
  }

  /** Services are controlled by the supervisor alone: without a registry they are shown as not paused. */
  async function presenter() {
    const { pauses } = await registry.read().catch(() => ({ pauses: {} }));
    const at = now().toISOString();
    return (service: ServiceStatus) =>
      serviceItem(service, pauseOf(pauses, { id: null, service: service.name }, at));
  }

  router.get('/services', async (_request, response) => {
    const [{ services }, present] = await Promise.all([control.snapshot(), presenter()]);
    response.json({ items: services.map(present), next_cursor: null });
  });

  router.get('/services/:name', async (request, response) => {
    const [service, present] = await Promise.all([find(request.params.name), presenter()]);
    response.json(present(service));
  });

  router.post('/services/:name/:action', async (request, response, next) => {
    const { name, action } = request.params;
    if (!isAction(action)) return next();
    jsonBody(request);
    await find(name);
    const result = await control.act({ service: name, action, by: 'person' });
    const { outcome, message, lastLines } = result;
    const answer = { outcome, message, last_lines: lastLines, service: (await presenter())(result.service) };
    if (outcome === 'failed') throw new Problem(502, 'Service is not ready', message, { members: answer });
    response.json(answer);
  });

  return router;
}

function isAction(text: string): text is ServiceAction {
  return (SERVICE_ACTIONS as readonly string[]).includes(text);
}
