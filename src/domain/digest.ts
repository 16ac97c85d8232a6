/**
 * A short name for a text: 16 hex digits, two FNV-1a hashes side by side. Tells texts apart that differ by accident; it is no
 * defence against one who wants two to look the same. Workflow code has no `node:crypto`.
 */
export function digest(text: string): string {
  let low = 0x811c9dc5;
  let high = 0x9747b28c;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    low = Math.imul(low ^ code, 0x01000193);
    high = Math.imul(high ^ code ^ (index & 0xff), 0x01000193);
  }
  return [high, low].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
}
