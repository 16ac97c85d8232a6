import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { AskAnalystDeps } from '../../../src/activities/ask-analyst';
import { createAskAnalyst } from '../../../src/activities/ask-analyst';
import { createCallClaude } from '../../../src/activities/claude/call-claude';
import type { SpendLedger } from '../../../src/activities/claude/spend-ledger';
import { createClaudeClient } from '../../../src/activities/claude/claude-client';
import type { AnalystAnswer, AskAnalystInput } from '../../../src/domain/analyst-rules';
import { ruleVerdict } from '../../../src/domain/analyst-rules';
import type { Incident } from '../../../src/domain/incident';
import type { EvidenceItem } from '../../../src/domain/ticket';
import { activityEnvironment } from '../../support/activity-environment';
import type { Fault } from '../../support/claude-server/faults';
import { FAULTS } from '../../support/claude-server/faults';
import type { ClaudeServer, ClaudeServerOptions } from '../../support/claude-server/server';
import { startClaudeServer } from '../../support/claude-server/server';
import { waitFor } from '../../support/wait-for';

const NOW = new Date('2026-01-01T00:00:02.000Z');
const OPEN_BY = '2026-01-01T00:00:08.000Z';
const AT = '2026-01-01T00:00:00.000Z';
const incident: Incident = {
  invariantId: 'api_healthy',
  service: 'api',
  priority: 'high',
  detectedAt: AT,
  check: {
    invariantId: 'api_healthy',
    revision: 1,
    at: AT,
    ok: false,
    latencyMs: 1,
    resolved: {},
    error: 'refused',
  },
  joined: [],
};
const item = (id: string, title: string, text = ''): EvidenceItem => ({
  id,
  kind: 'logs',
  at: AT,
  title,
  text,
});
const evidence = {
  ticketId: 'T1',
  at: AT,
  items: [item('E1', 'check api_healthy failed'), item('E2', 'log', 'the key is swordfish-0001')],
};
const rules = ruleVerdict(incident, evidence, { description: '', forceOpenAfterMs: 60_000 });
const INPUT: AskAnalystInput = { incident, evidence, rules, openBy: OPEN_BY };

const VERDICT = {
  create_ticket: true,
  reason: 'It does not answer [E1].',
  objective: 'Bring api back.',
  success_criteria: 'api_healthy holds.',
  context: 'The log names swordfish-0001 [E2].',
  priority: 'critical',
  suspected_cause: 'It was killed.',
  hypotheses: [{ cause: 'The disk is full.', evidence: ['E9'] }],
  confidence: 0.9,
};

let server: ClaudeServer;
let logged: string[];
let spent: Parameters<SpendLedger['record']>[0][];
afterEach(async () => {
  expect(server.problems).toEqual([]);
  await server.close();
});

async function serve(...faults: Fault[]): Promise<void> {
  await serveWith({ verdict: () => ({ json: VERDICT }), faults: faults.map((fault) => ({ fault })) });
}
async function serveWith(options: ClaudeServerOptions): Promise<void> {
  server = await startClaudeServer(options);
  logged = [];
  spent = [];
}

function analyst(change: Partial<AskAnalystDeps> = {}) {
  const redact = (text: string) => text.replaceAll('swordfish-0001', '[redacted]');
  return createAskAnalyst({
    call: createCallClaude({
      client: createClaudeClient({ apiKey: 'sk-ant-test', baseUrl: server.baseUrl, timeoutMs: 5_000 }),
      redact,
      now: () => NOW,
      monotonicMs: () => performance.now(),
      circuit: { failures: 5, openMs: 30_000 },
      silenceLimitMs: 5_000,
    }),
    ledger: {
      record: (call) => Promise.resolve(void spent.push(call)),
      today: () => Promise.resolve(0),
    },
    usdPerDay: 20,
    profile: 'full',
    model: 'claude-sonnet-5-5',
    effort: 'low',
    redact,
    now: () => NOW,
    log: {
      info: (_fields: unknown, message?: string) => logged.push(`info ${message}`),
      warn: (_fields: unknown, message?: string) => logged.push(`warn ${message}`),
      error: (_fields: unknown, message?: string) => logged.push(`error ${message}`),
    },
    limitMs: 5_000,
    ...change,
  });
}

const run = (activity = analyst(), input = INPUT, attempt = 1) =>
  activityEnvironment(attempt).run<[AskAnalystInput], AnalystAnswer, typeof activity>(activity, input);
const failureOf = async (work: Promise<unknown>): Promise<ApplicationFailure> => {
  const error = await work.then(
    () => new Error('it answered'),
    (reason: unknown) => reason,
  );
  if (error instanceof ApplicationFailure) return error;
  throw error;
};
const bodyOf = (index = 0): unknown => server.messageRequests[index]?.body;

describe('askAnalyst: a verdict', () => {
  it('is that of the model, cleaned, its claims without evidence marked', async () => {
    await serve();
    expect(await run()).toMatchObject({
      verdict: {
        by: 'claude',
        createTicket: true,
        objective: 'Bring api back.',
        priority: 'critical',
        context: 'The log names [redacted] [E2].',
        suspectedCause: 'It was killed. (no evidence cited)',
        hypotheses: [{ cause: 'The disk is full. (no evidence cited)', evidence: [] }],
        forceOpenAfterMs: 60_000,
      },
      news: expect.stringContaining('It was killed. (no evidence cited)'),
    });
    expect(logged).toEqual([]);
  });

  it('is asked for once, with a schema, no tools, and evidence that hides secrets', async () => {
    await serve();
    await run();
    expect(server.messageRequests).toHaveLength(1);
    expect(bodyOf()).toMatchObject({
      model: 'claude-sonnet-5-5',
      stream: true,
      output_config: { effort: 'low', format: { type: 'json_schema' } },
      messages: [{ role: 'user', content: expect.stringContaining('evidence E2 (logs') }],
    });
    expect(bodyOf()).not.toHaveProperty('tools');
    expect(JSON.stringify(bodyOf())).not.toContain('swordfish');
  });

  it('against a ticket is told in the log with its reason', async () => {
    await serveWith({ verdict: () => ({ json: { ...VERDICT, create_ticket: false } }) });
    expect(await run()).toMatchObject({ verdict: { createTicket: false } });
    expect(logged).toEqual(['info the analyst wants no ticket: It does not answer [E1].']);
  });

  it('of a plain server, asked for in words and wrapped in others, is read too', async () => {
    await serveWith({
      script: () => ({ text: `Here:\n\`\`\`json\n${JSON.stringify(VERDICT)}\n\`\`\`` }),
    });
    expect(await run(analyst({ profile: 'plain' }))).toMatchObject({ verdict: { by: 'claude' } });
    for (const key of ['output_config', 'thinking', 'cache_control'])
      expect(bodyOf()).not.toHaveProperty(key);
    expect(JSON.stringify(bodyOf())).toContain('Answer with one JSON object');
  });
});

describe('askAnalyst: what it cost', () => {
  const entry = { ticketId: 'T1', attempt: null, model: 'claude-sonnet-5-5' };

  it.each<[string, Fault[]]>([
    ['a verdict', []],
    ['a useless answer', [FAULTS.invalidJson()]],
    ['an answer that broke off', [FAULTS.cutMidStream()]],
  ])('%s is written down', async (_name, faults) => {
    await serve(...faults);
    await run().catch(() => undefined);
    expect(spent).toEqual([
      { ...entry, usage: expect.objectContaining({ output_tokens: expect.any(Number) }) },
    ]);
  });

  it('that cannot be written down costs no verdict, and is told', async () => {
    await serve();
    const ledger = {
      record: () => Promise.reject(new Error('disk full')),
      today: () => Promise.resolve(0),
    };
    expect(await run(analyst({ ledger }))).toMatchObject({ verdict: { by: 'claude' } });
    expect(logged).toEqual(['error the cost of an analysis could not be written down']);
  });
});

describe('askAnalyst: no verdict', () => {
  it.each<[string, () => Fault, string]>([
    ['no JSON', () => FAULTS.invalidJson(), 'the answer is no verdict'],
    ['cut off', () => FAULTS.maxTokensInCall(), 'the answer was cut off'],
  ])('%s: asked once more, then given up', async (_name, fault, problem) => {
    await serve(fault(), fault());
    const failure = await failureOf(run());
    expect(failure).toMatchObject({ type: 'UselessAnswer', nonRetryable: false });
    expect(await run(analyst(), INPUT, 2)).toEqual({ verdict: null, why: expect.stringContaining(problem) });
    expect(server.messageRequests).toHaveLength(2);
  });

  it('no JSON once the ticket is open: not asked again', async () => {
    await serve(FAULTS.invalidJson());
    const input = { ...INPUT, openBy: NOW.toISOString() };
    expect(await run(analyst(), input)).toMatchObject({ verdict: null });
  });

  it('declined', async () => {
    await serve(FAULTS.refusal('cyber'));
    expect(await run()).toEqual({ verdict: null, why: 'the model declined to answer (cyber)' });
  });

  it('no room', async () => {
    await serve(FAULTS.contextWindowExceeded());
    expect(await run()).toEqual({ verdict: null, why: 'the evidence does not fit into the model' });
  });

  it.each<[string, Fault, RegExp]>([
    [
      'the key is refused',
      FAULTS.http(401, 'authentication_error', 'invalid key'),
      /check ANTHROPIC_API_KEY/,
    ],
    ['nobody pays', FAULTS.http(402, 'billing_error', 'no credit'), /check plan, credit/],
    ['a spend limit', FAULTS.rateLimit(), /raise it in the Console/],
    ['an unknown model', FAULTS.http(404, 'not_found_error', 'model: x'), /analyst\.model/],
  ])('%s: one line that says what to do, no other try', async (_name, fault, advice) => {
    await serve(fault);
    expect(await run()).toMatchObject({ verdict: null });
    expect(logged).toEqual([expect.stringMatching(/^error no verdict of the analyst: /)]);
    expect(logged[0]).toMatch(advice);
  });

  it.each<[string, Fault, number]>([
    ['overloaded', FAULTS.overloaded(), 500],
    ['told to come back in 5 s', FAULTS.rateLimit({ retryAfterS: 5 }), 5_000],
    ['cut off', FAULTS.cutMidStream(), 500],
  ])('%s with 6 s left: tried again', async (_name, fault, waitMs) => {
    await serve(fault);
    expect(await failureOf(run())).toMatchObject({ nonRetryable: false, nextRetryDelay: waitMs });
    expect(logged).toEqual([]);
  });

  it.each<[string, Fault]>([
    ['told to come back in 6 s', FAULTS.rateLimit({ retryAfterS: 6 })],
    ['told to come back in a minute', FAULTS.overloaded({ retryAfterS: 60 })],
  ])('%s with 6 s left: not worth waiting for', async (_name, fault) => {
    await serve(fault);
    expect(await run()).toMatchObject({ verdict: null });
    expect(logged).toHaveLength(1);
  });

  it('silence: ended at its limit', async () => {
    await serve(FAULTS.hang());
    expect(await run(analyst({ limitMs: 300 }))).toEqual({ verdict: null, why: 'no verdict within 300 ms' });
    await waitFor('the request has ended', () =>
      Promise.resolve(server.messageRequests[0]?.disconnectedAtMs !== null),
    );
  });

  it('cancelled: the request is ended and the cancellation thrown', async () => {
    await serve(FAULTS.hang());
    const environment = activityEnvironment();
    const work = environment.run(analyst(), INPUT);
    const failed = expect(work).rejects.toThrow(CancelledFailure);
    await waitFor('the request is there', () => Promise.resolve(server.messageRequests.length === 1));
    environment.cancel();
    await failed;
    await waitFor('the request has ended', () =>
      Promise.resolve(server.messageRequests[0]?.disconnectedAtMs !== null),
    );
  });

  it('the money of the day is spent: nobody is asked', async () => {
    await serve();
    const ledger = {
      record: () => Promise.reject(new Error('nothing is spent')),
      today: () => Promise.resolve(20),
    };
    expect(await run(analyst({ ledger }))).toEqual({
      verdict: null,
      why: expect.stringContaining('usd_per_day'),
    });
    expect(server.requests).toHaveLength(0);
  });

  it('no model acts: nobody is asked', async () => {
    await serve();
    expect(await run(createAskAnalyst(null))).toMatchObject({ verdict: null });
    expect(server.requests).toHaveLength(0);
  });

  it('a storm: eight are asked at once, the rules answer for the ninth', async () => {
    await serve();
    server.latencyMs = 300;
    const activity = analyst();
    const answers = await Promise.all(Array.from({ length: 9 }, () => run(activity)));
    expect(answers.filter(({ verdict }) => verdict === null)).toHaveLength(1);
    expect(server.messageRequests).toHaveLength(8);
    expect(await run(activity)).toMatchObject({ verdict: { by: 'claude' } });
  });
});
