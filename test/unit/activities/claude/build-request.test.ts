import type { ClaudeRequest } from '../../../../src/activities/claude/build-request';
import { buildRequest } from '../../../../src/activities/claude/build-request';
import { TOOL_SCHEMAS } from '../../../../src/domain/tool-schemas';
import { VERDICT_JSON_SCHEMA } from '../../../../src/domain/verdict-schema';

const REQUEST: ClaudeRequest = {
  profile: 'full',
  model: 'claude-opus-5-5',
  effort: 'medium',
  maxTokens: 16_000,
  system: 'You repair services.',
  tools: TOOL_SCHEMAS,
  messages: [{ role: 'user', content: 'It is down.' }],
  format: null,
};

describe('buildRequest', () => {
  it('full: adaptive thinking, effort, strict tools, breakpoints behind the system prompt and the last block', () => {
    const body = buildRequest(REQUEST);
    expect(body).toMatchObject({
      model: 'claude-opus-5-5',
      max_tokens: 16_000,
      system: [
        { type: 'text', text: 'You repair services.', cache_control: { type: 'ephemeral', ttl: '5m' } },
      ],
      cache_control: { type: 'ephemeral', ttl: '5m' },
      thinking: { type: 'adaptive', display: 'summarized' },
      output_config: { effort: 'medium' },
      messages: [{ role: 'user', content: 'It is down.' }],
    });
    expect(body.tools?.map((tool) => 'strict' in tool && tool.strict)).toEqual(TOOL_SCHEMAS.map(() => true));
    expect(JSON.stringify(body).match(/"cache_control"/g)).toHaveLength(2);
  });

  it('the prefix of a later turn is, byte for byte, that of the first', () => {
    const { messages: first, ...prefix } = buildRequest(REQUEST);
    const later = buildRequest({
      ...REQUEST,
      messages: [
        ...REQUEST.messages,
        { role: 'assistant', content: 'I look.' },
        { role: 'user', content: 'ok' },
      ],
    });
    const { messages, ...laterPrefix } = later;
    expect(JSON.stringify(laterPrefix)).toBe(JSON.stringify(prefix));
    expect(messages.slice(0, first.length)).toEqual(first);
  });

  it('never sends what the models refuse', () => {
    for (const profile of ['full', 'plain'] as const) {
      const body = buildRequest({ ...REQUEST, profile });
      for (const field of ['temperature', 'top_p', 'top_k', 'tool_choice', 'output_format']) {
        expect(body).not.toHaveProperty(field);
      }
    }
  });

  it('a structured answer: the format goes with the effort, and no tools', () => {
    const body = buildRequest({ ...REQUEST, tools: [], format: VERDICT_JSON_SCHEMA });
    expect(body.output_config).toEqual({
      effort: 'medium',
      format: { type: 'json_schema', schema: VERDICT_JSON_SCHEMA },
    });
    expect(body).not.toHaveProperty('tools');
  });

  it('plain: only what every server of the Messages API knows', () => {
    const body = buildRequest({ ...REQUEST, profile: 'plain', format: VERDICT_JSON_SCHEMA });
    expect(Object.keys(body).sort()).toEqual(['max_tokens', 'messages', 'model', 'system', 'tools']);
    expect(body.system).toBe('You repair services.');
    expect(Object.keys(body.tools?.[0] ?? {}).sort()).toEqual(['description', 'input_schema', 'name']);
  });
});
