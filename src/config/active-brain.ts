import type { Brain } from '../domain/ticket';
import type { HarnessConfig } from './config';
import { ConfigError } from './config';

interface ActiveBrain {
  /** Who works on a ticket; the next one takes over when the one before it cannot go on. */
  readonly brains: readonly [Brain, ...Brain[]];
  /** For people: shown wherever the brain is named. */
  readonly why: string;
  /** Why the configured brain cannot be had, and the way out; null when all is well. */
  readonly problem: string | null;
}

/** Which brains act with this configuration, in which order, and why. */
export function activeBrain({ agent, claude }: Pick<HarnessConfig, 'agent' | 'claude'>): ActiveBrain {
  const configured = `agent.brain is "${agent.brain}"`;
  if (agent.brain === 'runbook') return { brains: ['runbook'], why: configured, problem: null };
  if (claude.apiKey === undefined) {
    const why = `${configured} and ANTHROPIC_API_KEY is not set`;
    const problem = `${why}; set it, or set agent.brain to auto or runbook`;
    return { brains: ['runbook'], why, problem: agent.brain === 'auto' ? null : problem };
  }
  const why = agent.brain === 'auto' ? 'ANTHROPIC_API_KEY is set' : configured;
  const model = `${agent.model} at ${new URL(claude.baseUrl).host}`;
  return {
    brains: agent.brain === 'runbook-first' ? ['runbook', 'claude'] : ['claude', 'runbook'],
    why: `${why}: ${model}`,
    problem: null,
  };
}

/** The brains that act. Throws ConfigError when the configured one cannot be had. */
export function requireBrains(config: Pick<HarnessConfig, 'agent' | 'claude'>): ActiveBrain['brains'] {
  const { brains, problem } = activeBrain(config);
  if (problem !== null) throw new ConfigError(problem);
  return brains;
}
