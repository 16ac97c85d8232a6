import { z } from 'zod';

export const portOwnerSchema = z.object({
  /** Where it listens, as it was dialled. */
  port: z.number(),
  pid: z.number(),
  /** Its command line in one line, shortened; written by that process, so it may say anything. */
  command: z.string(),
  user: z.string(),
  /** RFC 3339; null when it cannot be known. */
  startedAt: z.string().nullable(),
  /** Whether it belongs to the service: its process tree, group or session, or it carries the service's mark. */
  ours: z.boolean(),
});

/** Who listens where a check connected to. */
export type PortOwner = Readonly<z.infer<typeof portOwnerSchema>>;

/** Why a check fails although it may have got the right answer. */
export function describeStranger(owner: PortOwner, service: string): string {
  return `port ${owner.port} is answered by pid ${owner.pid} (${owner.command}), not by ${service}`;
}
