import { findModel } from '../../../support/claude-server/models';
import { countPrompt, PromptCache } from '../../../support/claude-server/prompt-cache';
import { requestOf } from './support';

const MODEL = findModel('claude-opus-5-5');
if (!MODEL) throw new Error('the model is gone');
const LONG = 'word '.repeat(1_000);
const mark = (ttl: '5m' | '1h' = '5m') => ({ cache_control: { type: 'ephemeral', ttl } });
const block = (text: string, more: object = {}) => ({ type: 'text', text, ...more });
const asked = (...content: object[]) => requestOf({ messages: [{ role: 'user', content }] });
const blocks = (count: number) => Array.from({ length: count }, (_, index) => block(`block ${index}`));

test('the parts of a bill add up to the whole prompt', () => {
  const cache = new PromptCache();
  const request = asked(block(LONG, mark('1h')), block('then', mark()), block('last'));
  const { uncached, read, written5m, written1h } = cache.take(request, MODEL, 0);
  expect(uncached + read + written5m + written1h).toBe(countPrompt(request));
  expect(read).toBe(0);
  expect(written1h).toBeGreaterThan(written5m);
  expect(Math.min(uncached, written5m)).toBeGreaterThan(0);
  const again = cache.take(request, MODEL, 1);
  expect(again).toEqual({ uncached, read: written1h + written5m, written5m: 0, written1h: 0 });
});

test.each([
  ['20 blocks back: found', 20, true],
  ['21 blocks back: not found', 21, false],
])('what was written %s', (_what, count, isFound) => {
  const cache = new PromptCache();
  const before = cache.take(asked(block(LONG, mark())), MODEL, 0);
  const after = cache.take(asked(block(LONG), ...blocks(count - 1), block('end', mark())), MODEL, 1);
  expect(after.read).toBe(isFound ? before.written5m : 0);
});

test('only what ends at a breakpoint is written', () => {
  const cache = new PromptCache();
  cache.take(asked(block(LONG), block('one', mark())), MODEL, 0);
  expect(cache.take(asked(block(LONG), block('two', mark())), MODEL, 1).read).toBe(0);
});

test('reading keeps it for as long again', () => {
  const cache = new PromptCache();
  const request = asked(block(LONG, mark()));
  const { written5m } = cache.take(request, MODEL, 0);
  expect(cache.take(request, MODEL, 299_000).read).toBe(written5m);
  expect(cache.take(request, MODEL, 598_000).read).toBe(written5m);
  expect(cache.take(request, MODEL, 898_001).read).toBe(0);
});

test.each([
  ['thinking', { thinking: { type: 'adaptive', display: 'omitted' } }],
  ['tool choice', { tool_choice: { type: 'none' } }],
])('other settings of %s: the system prompt is still read, the messages are not', (_what, change) => {
  const cache = new PromptCache();
  const both = {
    system: [block(LONG, mark())],
    messages: [{ role: 'user', content: [block(LONG, mark())] }],
  };
  const first = cache.take(requestOf(both), MODEL, 0);
  const second = cache.take(requestOf({ ...both, ...change }), MODEL, 1);
  expect(second.read).toBeGreaterThan(0);
  expect(second.read).toBeLessThan(first.written5m);
});
