import { execFile, spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { mustGoOn } from './ending.mjs';

const run = promisify(execFile);

/** Installed by the system's package manager; nothing is fetched. */
export async function findMonit() {
  const { stdout } = await run('monit', ['-V']).catch(() => {
    throw new Error('it is not installed (apt-get install monit)');
  });
  const [, version] = /version (\S+)/.exec(stdout) ?? [];
  return { name: `monit ${version}`, start };
}

async function start(dir, service) {
  const pidFile = join(dir, 'service.pid');
  const file = join(dir, 'monitrc');
  await Promise.all([
    writeFile(join(dir, 'start.sh'), startScript(pidFile, service)),
    writeFile(join(dir, 'stop.sh'), stopScript(pidFile)),
    // It refuses a control file that others may read.
    writeFile(file, controlFile(dir, pidFile, service), { mode: 0o700 }),
  ]);
  mustGoOn();
  const child = spawn('monit', ['-I', '-c', file], { cwd: dir, stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  return {
    pid: async () => Number(await readFile(pidFile, 'utf8')),
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** monit watches daemons by their pid file. */
function startScript(pidFile, { command, env }) {
  const settings = Object.entries(env).map(([name, value]) => `${name}='${value}'`);
  const words = command.map((word) => `'${word}'`);
  return `env ${[...settings, ...words].join(' ')} </dev/null >/dev/null 2>&1 &
echo $! > '${pidFile}'
`;
}

/** As the other peer stops it: one second of grace. */
function stopScript(pidFile) {
  return `pid=$(cat '${pidFile}')
kill -TERM "$pid" 2>/dev/null || exit 0
for _ in 1 2 3 4 5 6 7 8 9 10; do
  kill -0 "$pid" 2>/dev/null || exit 0
  sleep 0.1
done
kill -KILL "$pid" 2>/dev/null
exit 0
`;
}

function controlFile(dir, pidFile, { name, healthUrl }) {
  return `set daemon 5
set pidfile ${dir}/monit.pid
set idfile ${dir}/monit.id
set statefile ${dir}/monit.state
set logfile ${dir}/monit.log
set httpd unixsocket ${dir}/monit.sock allow bench:bench
check process ${name} with pidfile ${pidFile}
  start program = "/bin/sh ${dir}/start.sh" with timeout 10 seconds
  stop program = "/bin/sh ${dir}/stop.sh" with timeout 10 seconds
  if failed url ${healthUrl} timeout 2 seconds then restart
`;
}
