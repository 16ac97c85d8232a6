/** What a failure of Temporal is about: the message of its last cause. */
export function innermost(error: Error): string {
  let current = error;
  while (current.cause instanceof Error) current = current.cause;
  return current.message;
}
