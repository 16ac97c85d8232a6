import type { IncomingMessage } from 'node:http';

const MAX_BYTES = 4 * 1024;

/** Reads a request body of at most 4 KiB; null when it is larger, and then stops reading. Rejects when the client leaves. */
export function readBody(request: IncomingMessage): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      chunks.push(chunk);
      if (size <= MAX_BYTES) return;
      request.removeAllListeners('data').pause();
      resolve(null);
    });
    request.once('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    request.once('error', reject);
  });
}
