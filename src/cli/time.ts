/** `850ms`, `4.2s`, `12m`, `3h`, `5d`: short, for columns. */
export function shortDuration(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))}ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)}s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)}m`;
  if (ms < 86_400_000) return `${Math.floor(ms / 3_600_000)}h`;
  return `${Math.floor(ms / 86_400_000)}d`;
}

/** How long ago, or `-` when there is no such moment. */
export function age(at: string | null, now: number): string {
  const then = at === null ? NaN : Date.parse(at);
  return Number.isNaN(then) ? '-' : shortDuration(now - then);
}

/** `+1.23s` after `start`, aligned for timelines up to 1,000 s. */
export function offset(at: string, start: string): string {
  const seconds = (Date.parse(at) - Date.parse(start)) / 1_000;
  const text = `${seconds < 0 ? '-' : '+'}${Math.abs(seconds).toFixed(2)}s`;
  return text.padStart(9);
}
