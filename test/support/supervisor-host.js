/**
 * A supervisor as a process of its own, so that a test can kill it.
 * Argument: JSON {source, dataDir, services, component}. Prints `ready` and its leftovers; SIGTERM stops in order, SIGUSR2 crashes.
 */
const { source, dataDir, services, component } = JSON.parse(process.argv[2]);
const { beginRun } = require(`${source}/supervisor/begin-run.js`);
const { startControlServer } = require(`${source}/supervisor/control-server.js`);
const { Supervisor } = require(`${source}/supervisor/supervisor.js`);
const { paths } = require(`${source}/config/paths.js`);

async function main() {
  const { runId, leftoversKilled } = await beginRun(dataDir);
  const supervisor = new Supervisor({
    dataDir,
    runId,
    services,
    output: { show: () => undefined },
    baseEnv: { PATH: '/usr/bin:/bin', HOME: dataDir, LANG: 'C' },
    resolveSecrets: (value) => value,
  });
  const server = await startControlServer(paths.controlSocket(dataDir), supervisor);
  process.once('SIGTERM', async () => {
    await server.close();
    await supervisor.stopAll();
  });
  process.once('SIGUSR2', () => {
    throw new Error('a bug');
  });
  if (component) await supervisor.startComponent(component);
  await supervisor.startServices();
  console.log(`ready ${leftoversKilled}`);
}

void main();
