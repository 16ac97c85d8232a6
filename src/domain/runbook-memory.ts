import { z } from 'zod';
import type { Json } from './json';
import { NOTHING_RESTORED, restoreMemory } from './runbook-restore';

const runbookMemory = z.object({
  looks: z.number(),
  restarts: z.number(),
  failedStarts: z.number().default(0),
  /** How long it has been watched being silent, by looks that waited. */
  silentMs: z.number().default(0),
  /** It has waited because the repairs before did not last. */
  hasBackedOff: z.boolean().default(false),
  facts: z.array(z.string()),
  tried: z.array(z.string()),
  /** An attempt that began before there was this rung has not tried it. */
  restore: restoreMemory.default(NOTHING_RESTORED),
});

/** What the ladder remembers from turn to turn; travels through the ticket's history. */
export type RunbookMemory = Readonly<z.infer<typeof runbookMemory>>;

/** Null when there is no memory yet, or it is not the runbook's. */
export function parseRunbookMemory(memory: Json): RunbookMemory | null {
  return runbookMemory.safeParse(memory).data ?? null;
}

export const FRESH_MEMORY: RunbookMemory = {
  looks: 0,
  restarts: 0,
  failedStarts: 0,
  silentMs: 0,
  hasBackedOff: false,
  facts: [],
  tried: [],
  restore: NOTHING_RESTORED,
};

/** Adds a fact or an action, each once; the oldest give way. */
export function remember(
  memory: RunbookMemory,
  add: { readonly fact?: string; readonly tried?: string },
): RunbookMemory {
  const keep = (list: string[], text: string | undefined) =>
    text === undefined || list.includes(text) ? list : [...list, oneLine(text)].slice(-8);
  return { ...memory, facts: keep(memory.facts, add.fact), tried: keep(memory.tried, add.tried) };
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').slice(0, 400);
}
