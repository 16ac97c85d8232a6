import type { HarnessConfig } from '../../src/config/config';

/** What a configuration says of models, with the usual values and the runbook brain. */
export const BRAIN_CONFIG: Pick<HarnessConfig, 'analyst' | 'agent' | 'claude'> = {
  analyst: { model: 'claude-sonnet-5-5', effort: 'low', openByMs: 8_000, forceOpenAfterMs: 60_000 },
  agent: {
    brain: 'runbook',
    profile: 'full',
    model: 'claude-opus-5-5',
    effort: 'medium',
    retryAfterMs: 600_000,
    budget: { turns: 25, usd: 0.5, tokens: 400_000, wallClockMs: 900_000, usdPerDay: 10 },
  },
  claude: { baseUrl: 'http://127.0.0.1:9' },
};
