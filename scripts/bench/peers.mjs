import { execFile, spawn } from 'node:child_process';
import { access, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { FAULTS } from './faults.mjs';
import { makePorts, serviceSpecs } from './harness.mjs';
import { answers, answersAgainAt, pause, until } from './until.mjs';

const run = promisify(execFile);
/** supervisord restarts what exits; superlance's httpok asks every tick and restarts what does not answer. */
const PACKAGES = ['supervisor', 'superlance', 'setuptools<81'];
const TICK_MS = 5_000;

/** A Python environment with the peers, made once; its folder. */
export async function preparePeers(say) {
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
  return { bin, version: stdout.trim() };
}

/** The same fault under supervisord with httpok, in seconds until the service answers again. */
export async function measurePeer({ bin, version }, row, runs, say) {
  const { service, inject } = FAULTS[row];
  const dir = await mkdtemp(join(tmpdir(), 'harness-bench-peer-'));
  const ports = await makePorts();
  const healthUrl = `http://127.0.0.1:${ports[service]}/health`;
  const file = join(dir, 'supervisord.conf');
  await writeFile(file, config({ dir, bin, service, healthUrl, spec: serviceSpecs(dir, ports)[service] }));
  const child = spawn(join(bin, 'supervisord'), ['-n', '-c', file], { cwd: dir, stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const samples = [];
  try {
    const ctl = async (...args) => (await run(join(bin, 'supervisorctl'), ['-c', file, ...args])).stdout;
    for (let count = 1; count <= runs; count += 1) {
      await until('the service answers under supervisord', () => answers(healthUrl));
      // It counts as RUNNING one second after its start.
      await pause(1_500 + Math.random() * TICK_MS);
      const pid = Number(await ctl('pid', service));
      const faultAt = Date.now();
      await inject({ pid, healthUrl });
      samples.push(((await answersAgainAt(healthUrl)) - faultAt) / 1_000);
      say(`supervisord ${row} ${count}/${runs}: ${samples.at(-1)}`);
    }
  } finally {
    child.kill('SIGTERM');
    await ended;
    await rm(dir, { recursive: true, force: true });
  }
  return { name: `supervisord ${version} + httpok`, samples };
}

function config({ dir, bin, service, healthUrl, spec }) {
  const environment = Object.entries(spec.env)
    .map(([name, value]) => `${name}="${value}"`)
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
[program:${service}]
command=${spec.command.join(' ')}
environment=${environment}
autorestart=true
startretries=100
stopwaitsecs=1
[eventlistener:httpok]
command=${bin}/httpok -p ${service} -t 2 ${healthUrl}
events=TICK_5
`;
}
