import { Router } from 'express';
import type { Component, WebDependencies } from '../dependencies';

/** Without these two nothing is watched; all else may be down while the harness still sees and says so. */
const VITAL: ReadonlySet<Component['name']> = new Set(['temporal', 'monitor']);

/** `/health`: this process answers. Free for everyone, so that anything can probe it. */
export function healthRoutes(): Router {
  const router = Router();
  router.get('/health', (_request, response) => {
    response.json({ status: 'ok' });
  });
  return router;
}

/** `/ready`: the harness is watching; 503 only when it is not. */
export function readyRoutes({ components }: Pick<WebDependencies, 'components'>): Router {
  const router = Router();
  router.get('/ready', async (_request, response) => {
    const found = await components();
    const isReady = !found.some(({ name, status }) => VITAL.has(name) && status === 'down');
    const isWhole = found.every(({ status }) => status === 'ok');
    if (!isReady) response.set('Retry-After', '5');
    response
      .status(isReady ? 200 : 503)
      .json({ status: !isReady ? 'down' : isWhole ? 'ok' : 'degraded', components: found });
  });
  return router;
}
