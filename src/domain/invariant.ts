export const PRIORITIES = ['critical', 'high', 'medium', 'low'] as const;
export type Priority = (typeof PRIORITIES)[number];

/** IDs are also ticket workflow IDs; internal workflow IDs contain "/", so the two never meet. */
export const INVARIANT_ID = /^[a-z0-9][a-z0-9_-]{0,63}$/;

export interface ProbeRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  readonly followRedirects: number;
}

/** A rule about a service that must always hold. Durations in milliseconds. */
export interface InvariantDefinition {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  /** `http(s)://…`, `latency:http(s)://…` or `tcp://host:port`. */
  readonly query: string;
  /** CEL over the probe's values; `< 200` alone means `value < 200`. */
  readonly condition: string;
  readonly enabled: boolean;
  readonly service: string | null;
  readonly request: ProbeRequest;
  readonly timeoutMs: number;
  /** Consecutive failures that make DOWN. */
  readonly confirm: { readonly attempts: number; readonly spacingMs: number };
  /** Consecutive successes that prove recovery. */
  readonly recover: { readonly successes: number; readonly spacingMs: number };
  readonly priority: Priority;
  readonly suppressedBy: readonly string[];
}

/** Field defaults of `contract.md`; the only place they stand. */
export const INVARIANT_DEFAULTS = {
  description: '',
  enabled: true,
  service: null,
  request: { method: 'GET', headers: {}, body: null, followRedirects: 0 },
  timeoutMs: 2_000,
  confirm: { attempts: 3, spacingMs: 250 },
  recover: { successes: 3, spacingMs: 500 },
  priority: 'medium',
  suppressedBy: [],
} as const satisfies Omit<InvariantDefinition, 'id' | 'name' | 'query' | 'condition'>;
