import { z } from 'zod';
import { SERVICE_ACTIONS } from '../domain/service-state';
import type { ControlRequest, ControlResult, ControlSnapshot, ServiceEvent } from '../domain/service-state';
import { processExitSchema, serviceStatusSchema } from '../domain/service-status-schema';

/* Shapes on the control socket: the domain types as they are, checked on both ends. */
const componentStatus = z.object({
  name: z.string(),
  state: z.enum(['starting', 'running', 'exited', 'stopped']),
  pid: z.number().nullable(),
  exit: processExitSchema.nullable(),
});

export const controlSnapshot: z.ZodType<ControlSnapshot> = z.object({
  services: z.array(serviceStatusSchema),
  components: z.array(componentStatus),
});

const serviceEvent: z.ZodType<ServiceEvent> = z.object({
  seq: z.number(),
  at: z.string(),
  kind: z.enum(['starting', 'ready', 'exited', 'stopped']),
  asked: z.boolean(),
  service: serviceStatusSchema,
});

export const controlResult: z.ZodType<ControlResult> = z.object({
  outcome: z.enum(['performed', 'noop', 'fenced', 'failed']),
  service: serviceStatusSchema,
  message: z.string(),
  lastLines: z.array(z.string()),
});

export const controlAction = z.enum(SERVICE_ACTIONS);

/** Body of `POST /services/:name/:action`. */
export const controlBody = z.strictObject({
  expect: z
    .union([z.literal('exited'), z.strictObject({ pid: z.int().positive(), startedAt: z.string() })])
    .optional(),
  by: z
    .string()
    .regex(
      /^(person(:[^\p{Cc}]{1,64})?|harness|ticket:[A-Za-z0-9_-]{1,64})$/u,
      'must be "person" or "ticket:<id>"',
    ),
  operationId: z.string().min(1).max(300).optional(),
});
export type ControlBody = Pick<ControlRequest, 'expect' | 'by' | 'operationId'>;

export const controlError = z.object({ error: z.string() });

/** One line of `GET /events`. */
export const controlLine = z.discriminatedUnion('type', [
  z.object({ type: z.literal('snapshot'), snapshot: controlSnapshot }),
  z.object({ type: z.literal('event'), event: serviceEvent }),
  z.object({ type: z.literal('ping') }),
]);
export type ControlLine = z.infer<typeof controlLine>;

/** A ping is sent this often, so that a reader notices a supervisor that hangs. */
export const PING_MS = 5_000;
