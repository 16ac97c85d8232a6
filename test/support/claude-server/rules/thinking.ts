import { invalid } from '../refusal';
import { turnsOf } from '../request';
import type { ClaudeRequest } from '../request';
import { checkSignature, extendPrefix, startPrefix } from '../thinking';
import type { Rule } from './rule';

const MIN_BUDGET_TOKENS = 1_024;

export const thinkingConfigPossible: Rule = ({ thinking, max_tokens: maxTokens, ...request }, { model }) => {
  if (thinking === undefined) return null;
  if (!model.thinking.includes(thinking.type)) {
    const instead = model.thinking.map((type) => `\`${type}\``).join(' or ');
    return invalid(`thinking.type: \`${thinking.type}\` is not supported by ${model.id}; use ${instead}`);
  }
  const effort = request.output_config?.effort;
  if (thinking.type === 'between_tools' && (effort === 'xhigh' || effort === 'max')) {
    return invalid(`thinking.type: \`between_tools\` cannot be combined with effort \`${effort}\``);
  }
  if (thinking.type !== 'enabled') return null;
  if (thinking.budget_tokens < MIN_BUDGET_TOKENS) {
    return invalid(
      `thinking.enabled.budget_tokens: Input should be greater than or equal to ${MIN_BUDGET_TOKENS}`,
    );
  }
  return maxTokens !== undefined && thinking.budget_tokens >= maxTokens
    ? invalid('`max_tokens` must be greater than `thinking.budget_tokens`')
    : null;
};

export const noForcedToolWhileThinking: Rule = ({ thinking, tool_choice: choice }) => {
  const isForced = choice?.type === 'any' || choice?.type === 'tool';
  return isForced && thinking !== undefined && thinking.type !== 'disabled'
    ? invalid('Thinking may not be enabled when tool_choice forces tool use.')
    : null;
};

/** Text unchanged, and the same system, tools and messages before it as when it was thought. */
export const thinkingUnchanged: Rule = (request, { model }) => {
  for (const { path, check } of checkAll(request, model.line)) {
    if (check === 'changed_text') {
      return invalid(
        `${path}: Invalid \`signature\` in \`thinking\` block. \`thinking\` or \`redacted_thinking\` blocks cannot be modified; they must remain as they were in the original response.`,
      );
    }
    if (check === 'changed_prefix') {
      return invalid(
        `${path}: the \`thinking\` block is bound to another prefix: system, tools or an earlier message changed since it was returned.`,
      );
    }
  }
  return null;
};

export const thinkingComplete: Rule = (request, { issued, model }) => {
  // Another model's thinking is dropped silently, whole or in part.
  if (checkAll(request, model.line).some(({ check }) => check === 'other_line')) return null;
  for (const { role, blocks } of turnsOf(request)) {
    if (role === 'user' || issued.hasAllThinking(blocks.map(({ block }) => block))) continue;
    const [first] = blocks;
    return invalid(
      `${first?.path}.type: Expected \`thinking\` or \`redacted_thinking\`, but found \`${first?.block.type}\`. An assistant turn must come back with all its thinking blocks, in order and as they were.`,
    );
  }
  return null;
};

function checkAll(request: ClaudeRequest, line: string) {
  const checks = [];
  let prefix = startPrefix(request);
  for (const { role, blocks } of turnsOf(request)) {
    for (const { path, block } of blocks) {
      if (block.type === 'thinking') checks.push({ path, check: checkSignature(block, line, prefix) });
      // This server never redacts, so what is redacted is made up.
      if (block.type === 'redacted_thinking') checks.push({ path, check: 'changed_text' as const });
      prefix = extendPrefix(prefix, role, block);
    }
  }
  return checks;
}
