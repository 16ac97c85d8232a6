import { invalid } from '../refusal';
import { turnsOf } from '../request';
import type { ConversationTurn, PlacedBlock } from '../request';
import type { Rule } from './rule';

export const toolUseIdsUnique: Rule = (request) => {
  const seen = new Set<string>();
  for (const { blocks } of turnsOf(request)) {
    for (const { path, block } of blocks) {
      if (block.type !== 'tool_use') continue;
      if (seen.has(block.id)) return invalid(`${path}: \`tool_use\` ids must be unique`);
      seen.add(block.id);
    }
  }
  return null;
};

/** In the very next user turn; a last assistant turn has none, so its calls are open. */
export const everyToolUseAnswered: Rule = (request) => {
  const turns = turnsOf(request);
  for (const [index, turn] of turns.entries()) {
    const asked = idsOf(turn, 'tool_use');
    const next = turns[index + 1];
    const answered = next ? idsOf(next, 'tool_result') : [];
    const open = asked.filter((id) => !answered.includes(id));
    if (open.length > 0) {
      const where = turn.blocks[0]?.path.replace(/\.content.*/, '');
      return invalid(
        `${where}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${open.join(', ')}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`,
      );
    }
  }
  return null;
};

export const resultsComeFirst: Rule = (request) => {
  for (const { role, blocks } of turnsOf(request)) {
    if (role !== 'user') continue;
    const other = blocks.findIndex(({ block }) => block.type !== 'tool_result');
    const late =
      other < 0 ? undefined : blocks.slice(other).find(({ block }) => block.type === 'tool_result');
    if (late) return invalid(`${late.path}: \`tool_result\` blocks must come before any other content`);
  }
  return null;
};

export const everyResultExpected: Rule = (request) => {
  const turns = turnsOf(request);
  for (const [index, turn] of turns.entries()) {
    const previous = turns[index - 1];
    const asked = previous ? idsOf(previous, 'tool_use') : [];
    for (const { path, block } of turn.blocks) {
      if (block.type === 'tool_result' && !asked.includes(block.tool_use_id)) {
        return invalid(
          `${path}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${block.tool_use_id}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`,
        );
      }
    }
  }
  return null;
};

export const oneResultPerToolUse: Rule = (request) => {
  for (const turn of turnsOf(request)) {
    const ids = idsOf(turn, 'tool_result');
    const twice = ids.find((id, index) => ids.indexOf(id) !== index);
    if (twice !== undefined) {
      return invalid(
        `each tool_use must have a single result. Found multiple \`tool_result\` blocks: ${twice}`,
      );
    }
  }
  return null;
};

function idsOf(turn: ConversationTurn, type: 'tool_use' | 'tool_result'): string[] {
  return turn.blocks.flatMap((placed) => idOf(placed, type) ?? []);
}

function idOf({ block }: PlacedBlock, type: 'tool_use' | 'tool_result'): string | null {
  if (block.type === 'tool_use' && type === 'tool_use') return block.id;
  return block.type === 'tool_result' && type === 'tool_result' ? block.tool_use_id : null;
}
