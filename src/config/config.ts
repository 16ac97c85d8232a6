import type { ConnectionOptions } from '@temporalio/client';
import type { AttemptLimits } from '../domain/budget';
import type { InvariantDefinition } from '../domain/invariant';

export const EFFORTS = ['low', 'medium', 'high', 'xhigh', 'max'] as const;
type Effort = (typeof EFFORTS)[number];

/** A service of `harness.yaml`, paths absolute, durations in milliseconds. */
export interface ServiceConfig {
  readonly name: string;
  readonly description: string;
  /** Null: the harness does not spawn it. */
  readonly command: readonly string[] | null;
  readonly cwd: string;
  /** Raw values; `${env:NAME}` is resolved only when the process is started. */
  readonly env: Readonly<Record<string, string>>;
  readonly ready: { readonly url: string | null; readonly timeoutMs: number };
  readonly stopTimeoutMs: number;
  /** Repairs that did not last, within a time, after which one more is tried late and then a person is asked. */
  readonly restartLimit: { readonly relapses: number; readonly withinMs: number };
  readonly metricsUrl: string | null;
  /** Absolute glob patterns. */
  readonly files: { readonly read: readonly string[]; readonly edit: readonly string[] };
  readonly dependsOn: readonly string[];
}

/** The effective, frozen configuration: flag > environment > file > default. */
export interface HarnessConfig {
  /** The file it came from; null for the built-in demo configuration. */
  readonly file: string | null;
  readonly dataDir: string;
  readonly web: {
    readonly host: string;
    readonly port: number;
    /** HARNESS_TOKEN: the token of this run; without it the web process mints one. */
    readonly token?: string;
  };
  readonly temporal: {
    /** Null: start the embedded dev server (or use endpoints.json when a process is started alone). */
    readonly address: string | null;
    readonly namespace: string;
    /** Port asked of the embedded server: 7233 unless set; 0 = any free port. */
    readonly embeddedPort: number;
    readonly cliPath: string | null;
    /** From `TEMPORAL_*` only; what a connection to a Temporal service that is not ours needs. */
    readonly apiKey?: string;
    readonly tls?: NonNullable<ConnectionOptions['tls']>;
    readonly metadata?: Readonly<Record<string, string>>;
  };
  readonly restartOwn: boolean;
  /** In start order (dependencies first). */
  readonly services: readonly ServiceConfig[];
  readonly invariants: readonly InvariantDefinition[];
  readonly monitor: {
    readonly intervalMs: number;
    readonly concurrency: number;
    /** A failure so soon after a ticket closed is a relapse; a cancelled one opens no new ticket before. */
    readonly cooldownMs: number;
    /** HARNESS_MONITOR_PORT: the loopback port that `run` chose for it; without it the monitor takes a free one. */
    readonly port?: number;
  };
  readonly analyst: {
    readonly model: string;
    readonly effort: Effort;
    /** After the first failed check; then the ticket opens with the verdict of the rules. */
    readonly openByMs: number;
    readonly forceOpenAfterMs: number;
  };
  readonly agent: {
    /** What `agent.brain` says; see `activeBrain`. */
    readonly brain: 'auto' | 'claude' | 'runbook' | 'runbook-first';
    /** `plain`: for other servers of the Messages API, which know none of Claude's extras. */
    readonly profile: 'full' | 'plain';
    readonly model: string;
    readonly effort: Effort;
    readonly retryAfterMs: number;
    readonly budget: AttemptLimits & { readonly usdPerDay: number };
  };
  /** From `ANTHROPIC_*` only. */
  readonly claude: {
    readonly apiKey?: string;
    /** The part before `/v1`. */
    readonly baseUrl: string;
  };
  readonly logLevel: string;
  /** Where the package's own files are (dist/, package.json). */
  readonly packageRoot: string;
}

/** Bad configuration; `message` has file:line:column, the value, and the way out. Exit code 78. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}
