export const seconds = (value) => value.toFixed(2);
export const count = (value) => String(Number(value.toFixed(1)));

export function middle(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/** Median / worst. */
export function show(values, print = seconds) {
  return `${print(middle(values))} / ${print(Math.max(...values))}`;
}

/** Median / worst beside the promise, [median or null, worst]: kept or missed. */
export function judged(values, [median, worst], print = seconds) {
  const isKept = Math.max(...values) <= worst && (median === null || middle(values) <= median);
  const promised = median === null ? `≤ ${worst}` : `${median} / ${worst}`;
  return `${show(values, print)} (promised ${promised}): ${verdict(isKept)}`;
}

export function verdict(isKept) {
  return isKept ? 'kept' : '**missed**';
}

export function table(head, rows) {
  const lines = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  return lines.join('\n');
}

/** Text of others must not end a cell. */
export function escaped(text) {
  return text.replace(/\s+/g, ' ').replaceAll('|', '\\|');
}
