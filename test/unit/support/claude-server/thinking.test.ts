import type { ContentBlock, Message, MessageParam } from '@anthropic-ai/sdk/resources/messages';
import type { ScriptedTurn } from '../../../support/claude-server/script';
import type { ClaudeServer } from '../../../support/claude-server/server';
import { checkSignature, prefixOf, signThinking } from '../../../support/claude-server/thinking';
import type { Params } from './support';
import {
  apiErrorOf,
  ask,
  carryOn,
  clientOf,
  closeServers,
  inspect,
  PARAMS,
  requestOf,
  serve,
  TOOLS,
} from './support';

afterEach(closeServers);

const SCRIPT: readonly ScriptedTurn[] = [
  { thinking: 'Look first.', calls: [inspect()] },
  { thinking: 'Look again.', calls: [inspect()] },
  { thinking: 'It is well.', text: 'Done.' },
];

/** Two turns are made; the third request is the one that a case spoils. */
async function converse(params: Params = PARAMS) {
  const server = await serve({ script: SCRIPT });
  const client = clientOf(server);
  const first = await ask(client, params);
  const one = carryOn(params.messages, first, 'it is down');
  const second = await ask(client, { ...params, messages: one });
  return { server, client, params, messages: carryOn(one, second, 'it is up') };
}

/** The same conversation with one message changed. */
function edit(
  messages: readonly MessageParam[],
  index: number,
  change: (content: ContentBlock[]) => unknown[],
) {
  return messages.map((message, at) =>
    at === index ? { ...message, content: change(message.content as ContentBlock[]) } : message,
  ) as MessageParam[];
}

const isThinking = ({ type }: { readonly type: string }) => type === 'thinking';

async function refusalOf(server: ClaudeServer, params: Params): Promise<string> {
  const error = await apiErrorOf(ask(clientOf(server), params));
  expect(error.status).toBe(400);
  return error.message;
}

describe('accepted', () => {
  test.each<[string, (params: Params) => Params]>([
    ['unchanged', (params) => params],
    ['through JSON', (params) => JSON.parse(JSON.stringify(params)) as Params],
    ['a cache mark that moved', (params) => ({ ...params, cache_control: { type: 'ephemeral' } })],
    [
      'a result as a list of blocks instead of a string',
      (params) => ({
        ...params,
        messages: edit(params.messages, 2, (content) =>
          content.map((block) => ({ ...block, content: [{ type: 'text', text: 'it is down' }] })),
        ),
      }),
    ],
    ['other limits', (params) => ({ ...params, max_tokens: 8_000, output_config: { effort: 'low' } })],
    [
      'the system prompt as a block',
      (params) => ({ ...params, system: [{ type: 'text', text: PARAMS.system }] }),
    ],
    [
      'another line of models, which drops what it cannot read',
      (params) => ({ ...params, model: 'claude-sonnet-5-5' }),
    ],
    [
      'a new conversation that begins with a summary',
      (params) => ({ ...params, messages: [{ role: 'user', content: 'So far: it was down.' }] }),
    ],
  ])('%s', async (_what, change) => {
    const { client, server, params, messages } = await converse();
    const message = await ask(client, change({ ...params, messages }));
    expect(message.role).toBe('assistant');
    expect(server.requests.map(({ refusal }) => refusal)).toEqual([null, null, null]);
  });
});

describe('refused', () => {
  test.each<[string, (params: Params) => Params, RegExp]>([
    [
      'an edited thought',
      (params) => ({
        ...params,
        messages: edit(params.messages, 3, (content) =>
          content.map((block) =>
            block.type === 'thinking' ? { ...block, thinking: 'Something else.' } : block,
          ),
        ),
      }),
      /messages\.3\.content\.0: Invalid `signature`.*cannot be modified/,
    ],
    [
      'a dropped thought in the last turn',
      (params) => ({
        ...params,
        messages: edit(params.messages, 3, (content) => content.filter((block) => !isThinking(block))),
      }),
      /messages\.3\.content\.0\.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`/,
    ],
    [
      'a dropped thought in an earlier turn',
      (params) => ({
        ...params,
        messages: edit(params.messages, 1, (content) => content.filter((block) => !isThinking(block))),
      }),
      /messages\.3\.content\.0: the `thinking` block is bound to another prefix/,
    ],
    [
      'a signature that is made up',
      (params) => ({
        ...params,
        messages: edit(params.messages, 1, (content) =>
          content.map((block) => (isThinking(block) ? { ...block, signature: 'abc' } : block)),
        ),
      }),
      /messages\.1\.content\.0: Invalid `signature`/,
    ],
    ['reordered tools', (params) => ({ ...params, tools: [...TOOLS].reverse() }), /bound to another prefix/],
    ['a tool less', (params) => ({ ...params, tools: TOOLS.slice(0, 2) }), /bound to another prefix/],
    [
      'another system prompt',
      (params) => ({ ...params, system: 'You break services.' }),
      /bound to another prefix/,
    ],
    [
      'a changed old tool result',
      (params) => ({
        ...params,
        messages: edit(params.messages, 2, (content) =>
          content.map((block) => ({ ...block, content: 'trimmed' })),
        ),
      }),
      /messages\.3\.content\.0: the `thinking` block is bound to another prefix/,
    ],
    [
      'a result that is now an error',
      (params) => ({
        ...params,
        messages: edit(params.messages, 2, (content) =>
          content.map((block) => ({ ...block, is_error: true })),
        ),
      }),
      /bound to another prefix/,
    ],
    [
      'a reminder in an old turn',
      (params) => ({
        ...params,
        messages: edit(params.messages, 2, (content) => [...content, { type: 'text', text: 'Hurry.' }]),
      }),
      /bound to another prefix/,
    ],
    [
      'a trimmed history',
      ({ messages, ...params }) => ({ ...params, messages: [...messages.slice(0, 1), ...messages.slice(3)] }),
      /messages\.1\.content\.0: the `thinking` block is bound to another prefix/,
    ],
    [
      'redacted thinking that nobody gave',
      (params) => ({
        ...params,
        messages: edit(params.messages, 3, (content) => [
          { type: 'redacted_thinking', data: 'x' },
          ...content,
        ]),
      }),
      /messages\.3\.content\.0: Invalid `signature`/,
    ],
  ])('%s', async (_what, change, message) => {
    const { server, params, messages } = await converse();
    expect(await refusalOf(server, change({ ...params, messages }))).toMatch(message);
  });

  test('an omitted thought that somebody filled in', async () => {
    const { server, params, messages } = await converse({ ...PARAMS, thinking: { type: 'adaptive' } });
    const filled = edit(messages, 3, (content) =>
      content.map((block) => (block.type === 'thinking' ? { ...block, thinking: 'Look again.' } : block)),
    );
    expect(await refusalOf(server, { ...params, messages: filled })).toMatch(/Invalid `signature`/);
  });

  test('an omitted thought that was dropped because it looked empty', async () => {
    const { server, params, messages } = await converse({ ...PARAMS, thinking: { type: 'adaptive' } });
    const dropped = edit(messages, 3, (content) => content.filter((block) => !isThinking(block)));
    expect(await refusalOf(server, { ...params, messages: dropped })).toMatch(/Expected `thinking`/);
  });

  test('a thought of the last turn when the turn had no call', async () => {
    const { server, client, params, messages } = await converse();
    const last: Message = await ask(client, { ...params, messages });
    const next = edit(carryOn(messages, last), messages.length, (content) =>
      content.filter((block) => !isThinking(block)),
    );
    expect(await refusalOf(server, { ...params, messages: next })).toMatch(/but found `text`/);
  });
});

test('a signature tells what became of its thought', () => {
  const prefix = prefixOf(requestOf());
  const signature = signThinking('opus', prefix, 'Hm.');
  const block = { thinking: 'Hm.', signature };
  const otherPrefix = prefixOf(requestOf({ system: 'Another.' }));
  expect(checkSignature(block, 'opus', prefix)).toBe('valid');
  expect(checkSignature({ ...block, thinking: 'Hm?' }, 'opus', prefix)).toBe('changed_text');
  expect(checkSignature(block, 'opus', otherPrefix)).toBe('changed_prefix');
  expect(checkSignature(block, 'sonnet', prefix)).toBe('other_line');
});
