const CHARACTERS_PER_TOKEN = 4;

/** A rough count that depends on the length only, so that a test can foresee it. */
export function tokensOf(text: string): number {
  return Math.ceil(text.length / CHARACTERS_PER_TOKEN);
}

/** The beginning of a text that has at most so many tokens. */
export function firstTokens(text: string, tokens: number): string {
  return text.slice(0, Math.max(0, tokens) * CHARACTERS_PER_TOKEN);
}
