import { z } from 'zod';
import { EFFORTS } from './config';
import {
  amount,
  duration,
  filled,
  flag,
  httpUrl,
  identifier,
  integer,
  mapping,
  oneOf,
  section,
  text,
} from './fields';
import { invariantSchema } from './invariant-schema';
import { badSecretNames } from './secrets';

/** Names that lines and commands of the harness itself use. */
const RESERVED = [
  'harness',
  'temporal',
  'monitor',
  'agent',
  'web',
  'list',
  'status',
  'start',
  'stop',
  'restart',
];
const BRAINS = ['auto', 'claude', 'runbook', 'runbook-first'] as const;
const PLACEHOLDER = /\$\{(?!data_dir\}|env:)[^}]*\}/;

const placeholders = (allowsSecrets: boolean) => (value: string, context: z.RefinementCtx<string>) => {
  const unknown = PLACEHOLDER.exec(value)?.[0];
  const [badName] = badSecretNames(value);
  const allowed = allowsSecrets ? '${data_dir} or ${env:NAME}' : '${data_dir}';
  if (unknown !== undefined) {
    context.addIssue({ code: 'custom', message: `expected only ${allowed} as placeholder, not ${unknown}` });
  } else if (badName !== undefined) {
    const message = `expected the name of an environment variable in \${env:${badName}}`;
    context.addIssue({ code: 'custom', message });
  } else if (!allowsSecrets && value.includes('${env:')) {
    context.addIssue({ code: 'custom', message: `expected only ${allowed} as placeholder here` });
  }
};
const model = (usual: string) => filled().max(128, 'expected at most 128 characters').default(usual);
const path = () => filled().superRefine(placeholders(false));
const paths = () => z.array(path(), 'expected a list of paths');

const address = text().regex(/^$|^(\[[0-9a-fA-F:]+\]|[^\s:/[\]]+):\d{1,5}$/, {
  message: 'expected host:port of a Temporal service without a scheme, or "" for the embedded one',
});

const serviceName = identifier().refine((name) => !RESERVED.includes(name), {
  message: `expected a service name that is not reserved (${RESERVED.join(', ')})`,
});

const service = section({
  description: text().default(''),
  command: z
    .array(filled(), 'expected a list of words such as [node, server.js]')
    .min(1, 'expected at least the program')
    .optional(),
  cwd: path().default('.'),
  env: mapping(text().superRefine(placeholders(true))).default({}),
  ready: section({
    url: httpUrl().optional(),
    timeout: duration('100ms', '1h').default(30_000),
  }).prefault({}),
  stop_timeout: duration('0ms', '10m').default(5_000),
  restart_limit: section({
    relapses: integer(1, 1_000).default(5),
    within: duration('1m', '1d').default(600_000),
  }).prefault({}),
  metrics_url: httpUrl().optional(),
  files: section({ read: paths().default([]), edit: paths().default([]) }).prefault({}),
  depends_on: z.array(text(), 'expected a list of service names').default([]),
});

/**
 * `harness.yaml`; durations become milliseconds. Only keys that have an effect are known: a setting that is silently
 * ignored would be a lie.
 */
export const fileSchema = section({
  version: z.literal(1, 'expected 1'),
  data_dir: filled()
    .refine((value) => !value.includes('${'), 'expected a path without placeholders')
    .default('./data'),
  web: section({
    host: filled().default('127.0.0.1'),
    port: integer(0, 65_535).default(8_000),
  }).prefault({}),
  temporal: section({ address: address.default(''), namespace: filled().default('default') }).prefault({}),
  run: section({ restart_own: flag().default(false) }).prefault({}),
  services: z.record(serviceName, service, 'expected a mapping (name: service)').default({}),
  invariants: z.array(invariantSchema, 'expected a list of invariants').default([]),
  monitor: section({
    interval: duration('1s', '1h').default(5_000),
    concurrency: integer(1, 1_024).default(64),
    cooldown: duration('0ms', '1d').default(600_000),
  }).prefault({}),
  analyst: section({
    model: model('claude-sonnet-5-5'),
    effort: oneOf(EFFORTS).default('low'),
    open_by: duration('0ms', '1m').default(8_000),
    force_open_after: duration('0ms', '1h').default(60_000),
  }).prefault({}),
  agent: section({
    brain: oneOf(BRAINS).default('auto'),
    profile: oneOf(['full', 'plain']).default('full'),
    model: model('claude-opus-5-5'),
    effort: oneOf(EFFORTS).default('medium'),
    retry_after: duration('1s', '1d').default(600_000),
    budget: section({
      turns: integer(1, 200).default(25),
      usd: amount(0.01, 1_000).default(0.5),
      tokens: integer(1_000, 100_000_000).default(400_000),
      wall_clock: duration('10s', '1d').default(900_000),
      usd_per_day: amount(0.01, 100_000).default(10),
    }).prefault({}),
  }).prefault({}),
});

export type ConfigFile = z.output<typeof fileSchema>;
export type ServiceFile = z.output<typeof service>;
