import type { ClaudeRequest } from './request';
import { textOf, turnsOf } from './request';

/** A call of the conversation and what came of it. */
export interface AnsweredCall {
  readonly name: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly isError: boolean;
  readonly text: string;
}

/** In the order in which they were made. */
export function answeredCalls(request: ClaudeRequest): readonly AnsweredCall[] {
  const blocks = turnsOf(request).flatMap((turn) => turn.blocks.map(({ block }) => block));
  const results = new Map(
    blocks.flatMap((block) => (block.type === 'tool_result' ? [[block.tool_use_id, block] as const] : [])),
  );
  return blocks.flatMap((block) => {
    const result = block.type === 'tool_use' ? results.get(block.id) : undefined;
    if (block.type !== 'tool_use' || !result) return [];
    const { name, input } = block;
    return [{ name, input, isError: result.is_error === true, text: textOf(result) }];
  });
}
