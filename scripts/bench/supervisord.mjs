import { execFile, spawn } from 'node:child_process';
import { access, mkdir, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { mustGoOn } from './ending.mjs';

const run = promisify(execFile);
/** supervisord restarts what exits; superlance's httpok asks every tick and restarts what does not answer. */
const PACKAGES = ['supervisor', 'superlance', 'setuptools<81'];

/** A Python environment with both, made once. */
export async function findSupervisord(say) {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  const venv = join(cache, 'harness', 'bench-peers');
  const bin = join(venv, 'bin');
  const isThere = await access(join(bin, 'httpok')).then(
    () => true,
    () => false,
  );
  if (!isThere) {
    say('fetching supervisor and superlance …');
    await mkdir(venv, { recursive: true });
    await run('python3', ['-m', 'venv', venv]);
    await run(join(bin, 'pip'), ['install', '--quiet', ...PACKAGES]);
  }
  const { stdout } = await run(join(bin, 'supervisord'), ['--version']);
  return {
    name: `supervisord ${stdout.trim()} + httpok`,
    start: (dir, service) => start(bin, dir, service),
  };
}

async function start(bin, dir, service) {
  const file = join(dir, 'supervisord.conf');
  await writeFile(file, config(bin, dir, service));
  mustGoOn();
  const child = spawn(join(bin, 'supervisord'), ['-n', '-c', file], { cwd: dir, stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  return {
    async pid() {
      const { stdout } = await run(join(bin, 'supervisorctl'), ['-c', file, 'pid', service.name]);
      return Number(stdout);
    },
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

function config(bin, dir, { name, command, env, healthUrl }) {
  const environment = Object.entries(env)
    .map(([key, value]) => `${key}="${value}"`)
    .join(',');
  return `[unix_http_server]
file=${dir}/s.sock
[supervisord]
logfile=${dir}/supervisord.log
pidfile=${dir}/supervisord.pid
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://${dir}/s.sock
[program:${name}]
command=${command.join(' ')}
environment=${environment}
autorestart=true
startretries=100
stopwaitsecs=1
[eventlistener:httpok]
command=${bin}/httpok -p ${name} -t 2 ${healthUrl}
events=TICK_5
`;
}
