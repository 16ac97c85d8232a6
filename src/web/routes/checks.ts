import { Router } from 'express';
import type { WebDependencies } from '../dependencies';
import { checkWire } from '../presenters';
import { notFound, Problem } from '../problem';

/** Probing on demand: done by the monitor like every other check, so that a failure found here opens a ticket as well. */
export function checkRoutes(deps: Pick<WebDependencies, 'registry' | 'checkNow'>): Router {
  const router = Router();
  router.post('/invariants/:id/check', async (request, response) => {
    const { id } = request.params;
    const { invariants } = await deps.registry.read();
    if (!Object.hasOwn(invariants, id)) {
      throw notFound(`invariant ${JSON.stringify(id)}`, 'GET /api/v1/invariants lists them.');
    }
    const check = await deps.checkNow(id);
    if (!check) {
      const detail = `Invariant ${id} is disabled, so it is not probed; enable it first (PATCH {"enabled": true}).`;
      throw new Problem(409, 'Not checked', detail);
    }
    response.json(checkWire(check));
  });
  return router;
}
