// A service that misbehaves when it is told to, and counts its own starts.
const { appendFileSync, readFileSync } = require('node:fs');
const { createServer, get } = require('node:http');

const { PORT, STARTS_FILE, BOOT_MS_FILE, CONFIG_FILE, FIRST_WORDS, UPSTREAM } = process.env;
let delayMs = 0;

appendFileSync(STARTS_FILE, `${process.pid}\n`);

/** What no syntax check finds: the file is accepted, and nothing can be served with what it says. Read at each start only. */
function openPool() {
  if (CONFIG_FILE === undefined) return;
  const { pool } = JSON.parse(readFileSync(CONFIG_FILE, 'utf8'));
  if (pool > 0) return;
  console.error(`FATAL a pool of ${pool} connections serves nobody`);
  process.exit(1);
}

/** Read at each start, so that a test can make only the next boot slow. */
function bootMs() {
  try {
    return Number(readFileSync(BOOT_MS_FILE, 'utf8'));
  } catch {
    return 0;
  }
}

/** Serves only while what it depends on answers. */
function askUpstream(response) {
  const answer = (status) => response.headersSent || response.writeHead(status).end();
  get(UPSTREAM, { timeout: 1_000 }, ({ statusCode }) => answer(statusCode === 200 ? 200 : 503))
    .on('timeout', () => answer(503))
    .on('error', () => answer(503));
}

const routes = {
  'GET /health': (url, response) =>
    UPSTREAM === undefined ? setTimeout(() => response.end('ok'), delayMs) : askUpstream(response),
  'GET /other': (url, response) => response.end('ok'),
  /** What its clock says, and how far its time zone is from UTC. */
  'GET /time': (url, response) =>
    response.end(JSON.stringify({ ms: Date.now(), offset_min: -new Date().getTimezoneOffset() })),
  /** Answers, then never again: the event loop is blocked for good. */
  'POST /block': (url, response) => {
    response.end('blocking', () => {
      for (;;);
    });
  },
  'POST /delay': (url, response) => {
    delayMs = Number(url.searchParams.get('ms'));
    response.end();
  },
  'POST /errors': (url, response) => {
    setInterval(() => console.error('ERROR payment failed: connection reset by peer'), 20);
    response.end();
  },
};

if (FIRST_WORDS !== undefined) console.error(FIRST_WORDS);
openPool();
setTimeout(() => {
  createServer((request, response) => {
    const url = new URL(request.url, 'http://localhost');
    const route = routes[`${request.method} ${url.pathname}`];
    if (route) return route(url, response);
    const known = Object.keys(routes).some((name) => name.endsWith(` ${url.pathname}`));
    response.writeHead(known ? 405 : 404).end();
  }).listen(Number(PORT), '127.0.0.1');
}, bootMs());
