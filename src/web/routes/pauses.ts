import { Router } from 'express';
import { z } from 'zod';
import { parseDuration } from '../../domain/duration';
import type { PauseTarget } from '../../domain/pause';
import { activePauses } from '../../domain/pause';
import type { RegistryState } from '../../domain/registry';
import type { WebDependencies } from '../dependencies';
import { jsonBody, parseInput } from '../parse-body';
import { pauseItem } from '../presenters';
import { notFound } from '../problem';

const MAX_PAUSE_MS = 365 * 86_400_000;
const DURATION = 'expected a duration up to 365d, such as 30m, 1h or 2d';

const target = z
  .string('expected the ID of an invariant or the name of a service')
  .min(1)
  .max(200)
  .optional();
const by = z.string().trim().min(1).max(100).default('person');
const pauseBody = z.strictObject({
  target,
  for: z
    .string(DURATION)
    .transform((value, context) => {
      const ms = parseDuration(value);
      if (ms !== null && ms > 0 && ms <= MAX_PAUSE_MS) return ms;
      context.addIssue({ code: 'custom', message: DURATION });
      return z.NEVER;
    })
    .optional(),
  by,
});
const resumeBody = z.strictObject({ target, by });

/**
 * What people do not want watched for a while. Without a target: everything; a name that is both is the service. Resuming
 * without a target lifts every pause. Both answer with the pauses that are in force then.
 */
export function pauseRoutes({ registry, now }: Pick<WebDependencies, 'registry' | 'now'>): Router {
  const router = Router();

  async function inForce() {
    const { pauses } = await registry.read();
    return { items: activePauses(pauses, now().toISOString()).map(pauseItem), next_cursor: null };
  }

  router.get('/pauses', async (_request, response) => {
    response.json(await inForce());
  });

  router.post('/pause', async (request, response) => {
    const body = parseInput(pauseBody, jsonBody(request));
    const at = now();
    await registry.change({
      type: 'pause',
      at: at.toISOString(),
      target: findTarget(await registry.read(), body.target),
      until: body.for === undefined ? null : new Date(at.getTime() + body.for).toISOString(),
      by: body.by,
    });
    response.json(await inForce());
  });

  router.post('/resume', async (request, response) => {
    const body = parseInput(resumeBody, jsonBody(request));
    const known = findTarget(await registry.read(), body.target);
    await registry.change({ type: 'resume', at: now().toISOString(), target: known, by: body.by });
    response.json(await inForce());
  });

  return router;
}

function findTarget({ invariants, pauses }: RegistryState, name: string | undefined): PauseTarget {
  if (name === undefined) return { kind: 'all' };
  const paused = Object.values(pauses ?? {}).map((pause) => pause.target);
  const isService =
    Object.values(invariants).some(({ definition }) => definition.service === name) ||
    // Its invariants may have gone since it was paused.
    paused.some((target) => target.kind === 'service' && target.service === name);
  if (isService) return { kind: 'service', service: name };
  if (Object.hasOwn(invariants, name)) return { kind: 'invariant', invariantId: name };
  throw notFound(
    `invariant, and no service with invariants, ${JSON.stringify(name)}`,
    'GET /api/v1/invariants lists them.',
  );
}
