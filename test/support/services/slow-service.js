// A service that boots slowly and counts its own starts; the hold point of the crash tests.
const { appendFileSync, readFileSync } = require('node:fs');
const { createServer } = require('node:http');

const { PORT, STARTS_FILE, BOOT_MS_FILE } = process.env;

appendFileSync(STARTS_FILE, `${JSON.stringify({ at: new Date().toISOString(), pid: process.pid })}\n`);
console.log('booting');

/** Read at each start, so that a test can make only the next boot slow. */
function bootMs() {
  try {
    return Number(readFileSync(BOOT_MS_FILE, 'utf8'));
  } catch {
    return 0;
  }
}

setTimeout(() => {
  createServer((request, response) => response.end('ok')).listen(Number(PORT), '127.0.0.1', () =>
    console.log('listening'),
  );
}, bootMs());
