/** Polls until `look` gives a value; fails with what it saw last. The limit is a ceiling, not a pause. */
export async function waitFor<T>(
  what: string,
  look: () => Promise<T | null | undefined | false>,
  { limitMs = 10_000, everyMs = 25 }: { readonly limitMs?: number; readonly everyMs?: number } = {},
): Promise<T> {
  let lastError: unknown = null;
  for (const deadline = Date.now() + limitMs; Date.now() < deadline;) {
    try {
      const found = await look();
      if (found !== null && found !== undefined && found !== false) return found;
    } catch (error) {
      lastError = error;
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
  const why = lastError instanceof Error ? `: ${lastError.message}` : '';
  throw new Error(`${what}: not within ${limitMs} ms${why}`);
}
