import type { HarnessConfig } from './config';

export interface ActiveBrain {
  readonly brain: 'runbook';
  /** For people: shown wherever the brain is named. */
  readonly why: string;
}

/** Which brain acts with this configuration, and why. */
export function activeBrain(config: Pick<HarnessConfig, 'agent'>): ActiveBrain {
  if (config.agent.brain === 'runbook') return { brain: 'runbook', why: 'agent.brain is "runbook"' };
  return {
    brain: 'runbook',
    why: `agent.brain is "${config.agent.brain}" and the Claude brain is not available yet`,
  };
}
