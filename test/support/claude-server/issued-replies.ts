import type { Block } from './request';

/**
 * What the server has said. A thinking block that is dropped leaves no signature behind that could be checked, so the reply
 * is recognised by its other blocks and its thinking is missed.
 */
export class IssuedReplies {
  /** For each recognisable block the thinking that came with it; the same words may have been said more than once. */
  readonly #thinking = new Map<string, Set<string>>();

  remember(content: readonly Block[]): void {
    for (const key of content.flatMap((block) => keyOf(block) ?? [])) {
      const known = this.#thinking.get(key) ?? new Set();
      this.#thinking.set(key, known.add(signaturesOf(content)));
    }
  }

  /** Whether an assistant turn has exactly the thinking that it was said with; true for what was never said here. */
  hasAllThinking(turn: readonly Block[]): boolean {
    return turn
      .flatMap((block) => keyOf(block) ?? [])
      .every((key) => this.#thinking.get(key)?.has(signaturesOf(turn)) ?? true);
  }
}

function keyOf(block: Block): string | null {
  if (block.type === 'tool_use') return `call ${block.id}`;
  return block.type === 'text' ? `text ${block.text}` : null;
}

function signaturesOf(content: readonly Block[]): string {
  return content
    .map((block) => (block.type === 'thinking' ? block.signature : ''))
    .filter(Boolean)
    .join(' ');
}
