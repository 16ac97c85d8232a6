import { z } from 'zod';
import { SERVICE_STATES } from './service-state';

export const processExitSchema = z.object({
  code: z.number().nullable(),
  signal: z.string().nullable(),
  at: z.string(),
});

/** `ServiceStatus` as it travels: over the control socket, and through a ticket's history. */
export const serviceStatusSchema = z.object({
  name: z.string(),
  state: z.enum(SERVICE_STATES),
  pid: z.number().nullable(),
  startedAt: z.string().nullable(),
  exit: processExitSchema.nullable(),
  restarts: z.number(),
  ready: z.boolean(),
  desired: z.enum(['running', 'stopped']),
});
