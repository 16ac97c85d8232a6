import type { RawMessageStreamEvent } from '@anthropic-ai/sdk/resources/messages';
import { closeServers, inspect, PARAMS, serve } from './support';

afterEach(closeServers);

/** As it comes over the wire, without a client that puts it together. */
async function readStream(
  url: string,
): Promise<{ readonly name: string; readonly data: RawMessageStreamEvent }[]> {
  const response = await fetch(`${url}/v1/messages`, {
    method: 'POST',
    headers: {
      'x-api-key': 'sk-test',
      'anthropic-version': '2026-10-21',
      'content-type': 'application/json',
    },
    body: JSON.stringify({ ...PARAMS, stream: true }),
  });
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  const text = await response.text();
  return text
    .trimEnd()
    .split('\n\n')
    .map((chunk) => {
      const parts = /^event: (.*)\ndata: (.*)$/.exec(chunk);
      return { name: parts?.[1] ?? '', data: JSON.parse(parts?.[2] ?? 'null') as RawMessageStreamEvent };
    });
}

test('events come in the order of the API', async () => {
  const server = await serve({ script: [{ thinking: 'Look.', text: 'I look.', calls: [inspect()] }] });
  const events = await readStream(server.baseUrl);
  expect(events.every(({ name, data }) => name === data.type)).toBe(true);
  const order = events.map(({ name }) => name).filter((name, index, all) => name !== all[index - 1]);
  const block = ['content_block_start', 'content_block_delta', 'content_block_stop'];
  expect(order).toEqual([
    'message_start',
    'ping',
    ...block,
    ...block,
    ...block,
    'message_delta',
    'message_stop',
  ]);
});

test('a thought comes in pieces and then its signature; input in pieces that make JSON only together', async () => {
  const server = await serve({ script: [{ thinking: 'Look.', calls: [inspect()] }], textPrefix: '' });
  const deltas = (await readStream(server.baseUrl)).flatMap(({ data }) =>
    data.type === 'content_block_delta' ? [data] : [],
  );
  const ofThinking = deltas.filter(({ index }) => index === 0).map(({ delta }) => delta.type);
  expect(ofThinking.at(-1)).toBe('signature_delta');
  expect(ofThinking.filter((type) => type === 'thinking_delta').length).toBeGreaterThan(1);
  const pieces = deltas.flatMap(({ delta }) =>
    delta.type === 'input_json_delta' ? [delta.partial_json] : [],
  );
  expect(pieces.length).toBeGreaterThan(2);
  expect(JSON.parse(pieces.join(''))).toEqual(inspect().input);
  expect(() => JSON.parse(pieces[1] ?? '') as unknown).toThrow();
});

test('it starts empty and ends with what it cost', async () => {
  const server = await serve({ script: [{ text: 'I look.', calls: [inspect()] }] });
  const events = await readStream(server.baseUrl);
  expect(events[0]?.data).toMatchObject({ message: { content: [], stop_reason: null } });
  const reply = server.requests[0]?.reply;
  expect(events.at(-2)?.data).toMatchObject({
    delta: { stop_reason: 'tool_use', stop_sequence: null, stop_details: null, container: null },
    usage: { output_tokens: reply?.usage.output_tokens, input_tokens: reply?.usage.input_tokens },
  });
});
