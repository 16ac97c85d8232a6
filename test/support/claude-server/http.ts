import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { invalid } from './refusal';
import type { Refusal } from './refusal';

const MAX_BODY_BYTES = 32 * 1024 * 1024;
const VERSIONS = ['2026-10-21', '2023-06-01'];

/** All of a body; what is beyond the limit is read, so that the client hears the answer, and thrown away. */
export async function readBody(
  request: IncomingMessage,
): Promise<{ readonly text: string; readonly isTooLarge: boolean }> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
    else chunks.length = 0;
  }
  return { text: Buffer.concat(chunks).toString('utf8'), isTooLarge: bytes > MAX_BODY_BYTES };
}

export const TOO_LARGE: Refusal = {
  status: 413,
  type: 'request_too_large',
  message: 'Request exceeds the maximum size',
};

/** The key may come either way. `apiKey` null: any will do. */
export function checkHeaders(headers: IncomingHttpHeaders, apiKey: string | null): Refusal | null {
  const given = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? headers['x-api-key'];
  const refuse = (message: string): Refusal => ({ status: 401, type: 'authentication_error', message });
  if (given === undefined || given === '') return refuse('authorization or x-api-key header is required');
  if (apiKey !== null && given !== apiKey) return refuse('invalid API key');
  const version = headers['anthropic-version'];
  if (version === undefined) return invalid('anthropic-version: header is required');
  return VERSIONS.includes(String(version))
    ? null
    : invalid(`anthropic-version: "${String(version)}" is not a valid version`);
}

export function betasOf(headers: IncomingHttpHeaders): readonly string[] {
  return String(headers['anthropic-beta'] ?? '')
    .split(',')
    .map((name) => name.trim());
}

/** Null when it is not a JSON object. */
export function parseObject(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch {
    return null;
  }
}
