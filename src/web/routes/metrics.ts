import type { RequestHandler } from 'express';
import { Router } from 'express';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { WebDependencies } from '../dependencies';

export interface Metrics {
  /** Counts every request; before all routes. */
  readonly observe: RequestHandler;
  readonly routes: Router;
}

/** Prometheus metrics of this process and of the harness as it sees it. */
export function metrics({
  components,
  openTickets,
}: Pick<WebDependencies, 'components' | 'openTickets'>): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const labelNames = ['method', 'route', 'status'] as const;
  const requests = new Counter({
    name: 'harness_http_requests_total',
    help: 'Requests answered',
    labelNames,
    registers,
  });
  const duration = new Histogram({ name: 'harness_http_request_seconds', help: 'Time to answer', registers });
  new Gauge({
    name: 'harness_component_up',
    help: '1 ok, 0.5 degraded, 0 down',
    labelNames: ['component'],
    registers,
    async collect() {
      for (const { name, status } of await components()) {
        this.set({ component: name }, status === 'ok' ? 1 : status === 'degraded' ? 0.5 : 0);
      }
    },
  });
  new Gauge({
    name: 'harness_open_tickets',
    help: 'Tickets that are not closed; absent while Temporal does not answer',
    registers,
    async collect() {
      this.remove();
      const open = await openTickets().catch(() => null);
      if (open) this.set(open.size);
    },
  });

  const routes = Router();
  routes.get('/metrics', async (_request, response) => {
    response.type(registry.contentType).send(await registry.metrics());
  });
  return {
    routes,
    observe(request, response, next) {
      const stop = duration.startTimer();
      response.once('finish', () => {
        stop();
        const pattern: unknown = (request.route as { path?: unknown } | undefined)?.path;
        const route = typeof pattern === 'string' ? `${request.baseUrl}${pattern}` : 'none';
        requests.inc({ method: request.method, route, status: response.statusCode });
      });
      next();
    },
  };
}
