import Anthropic from '@anthropic-ai/sdk';
import type {
  Message,
  MessageCreateParamsNonStreaming,
  MessageParam,
} from '@anthropic-ai/sdk/resources/messages';
import { IssuedReplies } from '../../../support/claude-server/issued-replies';
import { findModel } from '../../../support/claude-server/models';
import { messagesRequest } from '../../../support/claude-server/request';
import type { ClaudeRequest } from '../../../support/claude-server/request';
import type { RuleContext } from '../../../support/claude-server/rules/rule';
import type { ClaudeServer, ClaudeServerOptions } from '../../../support/claude-server/server';
import { startClaudeServer } from '../../../support/claude-server/server';

let running: ClaudeServer[] = [];

/** Ends with `closeServers`. */
export async function serve(options: ClaudeServerOptions = {}): Promise<ClaudeServer> {
  const server = await startClaudeServer(options);
  running.push(server);
  return server;
}

export async function closeServers(): Promise<void> {
  await Promise.all(running.map((server) => server.close()));
  running = [];
}

export function clientOf(server: ClaudeServer, timeout = 5_000): Anthropic {
  return new Anthropic({
    apiKey: 'sk-test',
    baseURL: server.baseUrl,
    maxRetries: 0,
    timeout,
    logLevel: 'off',
  });
}

export const TOOLS = [
  {
    name: 'inspect_service',
    description: 'Shows how a service is.',
    strict: true,
    input_schema: {
      type: 'object' as const,
      properties: { service: { type: 'string' }, wait_s: { type: 'number' } },
      required: ['service'],
      additionalProperties: false,
    },
  },
  {
    name: 'service_control',
    description: 'Starts, stops or restarts a service.',
    input_schema: { type: 'object' as const, properties: { service: { type: 'string' } } },
  },
  {
    name: 'update_ticket_status',
    description: 'Proposes a status.',
    input_schema: { type: 'object' as const, properties: { status: { type: 'string' } } },
  },
];

export const PARAMS = {
  model: 'claude-opus-5-5',
  max_tokens: 4_000,
  system: 'You repair services.',
  tools: TOOLS,
  thinking: { type: 'adaptive', display: 'summarized' },
  messages: [{ role: 'user', content: 'service: demo is down.' }],
} satisfies MessageCreateParamsNonStreaming;

export type Params = MessageCreateParamsNonStreaming;

export const inspect = (service = 'demo') => ({ name: 'inspect_service', input: { service } });

/** One turn through the real client. */
export function ask(client: Anthropic, params: Params, signal?: AbortSignal): Promise<Message> {
  return client.messages.stream(params, signal ? { signal } : {}).finalMessage();
}

/** A reply sent back as it came, with an answer to each of its calls. */
export function carryOn(messages: readonly MessageParam[], reply: Message, result = 'fine'): MessageParam[] {
  const results = reply.content.flatMap((block) =>
    block.type === 'tool_use'
      ? [{ type: 'tool_result' as const, tool_use_id: block.id, content: result }]
      : [],
  );
  const next = results.length > 0 ? results : 'And then?';
  return [...messages, { role: 'assistant', content: reply.content }, { role: 'user', content: next }];
}

/** A request that every rule accepts, changed. */
export function requestOf(change: object = {}): ClaudeRequest {
  return messagesRequest.parse({ ...PARAMS, ...change });
}

export function contextOf(model = 'claude-opus-5-5', issued = new IssuedReplies()): RuleContext {
  const found = findModel(model);
  if (!found) throw new Error(`no such model: ${model}`);
  return { model: found, issued };
}

export async function errorOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => {
      throw new Error('it was expected to fail, and did not');
    },
    (error: unknown) => error,
  );
}

/** The API's error, with its fields as they arrived. */
export async function apiErrorOf(work: Promise<unknown>): Promise<InstanceType<typeof Anthropic.APIError>> {
  const error = await errorOf(work);
  if (error instanceof Anthropic.APIError) return error;
  throw new Error(`not an error of the API: ${String(error)}`);
}
