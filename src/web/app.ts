import type { Express } from 'express';
import express, { Router } from 'express';
import { rateLimit } from 'express-rate-limit';
import helmet from 'helmet';
import type { WebDependencies } from './dependencies';
import { auth } from './middleware/auth';
import { errors, unknownRoute } from './middleware/errors';
import { hostCheck } from './middleware/host-check';
import { requestId } from './middleware/request-id';
import { Problem } from './problem';
import { checkRoutes } from './routes/checks';
import { healthRoutes, readyRoutes } from './routes/health';
import { invariantRoutes } from './routes/invariants';
import { metrics } from './routes/metrics';
import { pauseRoutes } from './routes/pauses';
import { serviceRoutes } from './routes/services';
import { statsRoutes } from './routes/stats';
import { ticketRoutes } from './routes/tickets';

/** What one client may ask in ten seconds; far above a dashboard, far below what would starve the monitor beside it. */
const REQUEST_LIMIT = 1_000;
const BODY_LIMIT = '64kb';

/** The REST interface as an Express app that does not listen; all it talks to is given. */
export function createApp(deps: WebDependencies): Express {
  const app = express();
  const { observe, routes: metricRoutes } = metrics(deps);
  app.disable('x-powered-by');
  app.set('query parser', 'simple');
  app.use(requestId, observe, helmet(), hostCheck(deps.web.host));
  app.use(healthRoutes());
  app.use(
    rateLimit({
      windowMs: 10_000,
      limit: deps.web.requestLimit ?? REQUEST_LIMIT,
      standardHeaders: 'draft-8',
      legacyHeaders: false,
      handler: () => {
        throw new Problem(429, 'Too many requests', 'Wait as long as Retry-After says.', { retryAfterS: 10 });
      },
    }),
    auth(deps.web),
    express.json({ limit: BODY_LIMIT }),
  );
  app.use(readyRoutes(deps), metricRoutes);
  app.use('/api/v1', api(deps));
  app.use(unknownRoute, errors(deps));
  return app;
}

function api(deps: WebDependencies): Router {
  const router = Router();
  // Answers are the state of this moment; a cache in between would show an old one.
  router.use((_request, response, next) => {
    response.set('Cache-Control', 'no-store');
    next();
  });
  router.use(
    ticketRoutes(deps),
    checkRoutes(deps),
    invariantRoutes(deps),
    pauseRoutes(deps),
    serviceRoutes(deps),
    statsRoutes(deps),
  );
  return router;
}
