// Loaded before a service (--require): while the file BLOCKER exists, the service ends at once, whatever its files say.
const { existsSync } = require('node:fs');

if (existsSync(process.env.BLOCKER)) {
  console.error('the licence has run out');
  process.exit(3);
}
