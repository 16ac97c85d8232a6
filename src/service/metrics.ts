import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

const OUTCOMES = ['allowed', 'limited', 'invalid', 'disabled'] as const;
type CheckOutcome = (typeof OUTCOMES)[number];
const RELOADS = ['applied', 'rejected', 'missing'] as const;
type ReloadResult = (typeof RELOADS)[number];

/** Labels come from closed sets only: a client cannot add a time series. */
export interface Metrics {
  readonly contentType: string;
  render(): Promise<string>;
  /** `status` null: the client went away before the answer. */
  countRequest(route: string, status: number | null, seconds: number): void;
  countCheck(outcome: CheckOutcome): void;
  countReload(result: ReloadResult): void;
}

/** The service's own registry with prom-client's process metrics (`process_start_time_seconds` identifies the start). */
export function createMetrics(activeKeys: () => number): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const requests = new Counter({
    name: 'rate_limiter_requests_total',
    help: 'Requests by route and status class; "aborted" when the client left before the answer.',
    labelNames: ['route', 'status_class'],
    registers,
  });
  const durations = new Histogram({
    name: 'rate_limiter_request_duration_seconds',
    help: 'Time from the request to the end of its response.',
    labelNames: ['route'],
    buckets: [0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  const checks = new Counter({
    name: 'rate_limiter_checks_total',
    help: 'Checks by outcome.',
    labelNames: ['outcome'],
    registers,
  });
  const reloads = new Counter({
    name: 'rate_limiter_config_reloads_total',
    help: 'Changes of the config file seen while running, by result; only "applied" changed the config in force.',
    labelNames: ['result'],
    registers,
  });
  new Gauge({
    name: 'rate_limiter_active_keys',
    help: 'Keys whose bucket is not full.',
    registers,
    collect() {
      this.set(activeKeys());
    },
  });
  // A counter that appears with its first event hides that event from rate().
  for (const outcome of OUTCOMES) checks.inc({ outcome }, 0);
  for (const result of RELOADS) reloads.inc({ result }, 0);

  return {
    contentType: registry.contentType,
    render: () => registry.metrics(),
    countRequest(route, status, seconds) {
      const statusClass = status === null ? 'aborted' : `${Math.floor(status / 100)}xx`;
      requests.inc({ route, status_class: statusClass });
      durations.observe({ route }, seconds);
    },
    countCheck: (outcome) => checks.inc({ outcome }),
    countReload: (result) => reloads.inc({ result }),
  };
}
