import type { HarnessConfig } from '../config/config';
import { activeBrain } from '../config/active-brain';
import { errorText } from '../config/error-text';
import type { CliContext } from './context';
import { printJson } from './context';
import type { Finding } from './doctor-checks';
import { checkDataDir, checkNode, checkPorts, checkServices, checkTemporal } from './doctor-checks';
import { EXIT } from './exit-codes';
import { stateCell } from './paint';
import { table } from './table';

/** Looks for what would keep the harness from running; changes and downloads nothing. Exit 3 when something would. */
export async function doctor(context: CliContext, input: { json?: boolean }): Promise<number> {
  const findings = await examine(context);
  if (input.json) {
    printJson(context, { items: findings, next_cursor: null });
  } else {
    const rows = findings.map(({ name, level, message }) => [
      name,
      stateCell(level, context.colors),
      message.replaceAll('\n', '; '),
    ]);
    context.out.write(table(['CHECK', 'RESULT', 'FOUND'], rows, context.colors));
  }
  return findings.some(({ level }) => level === 'fail') ? EXIT.unhealthy : EXIT.ok;
}

async function examine(context: CliContext): Promise<Finding[]> {
  const node = checkNode(process.versions.node);
  let config: HarnessConfig;
  try {
    config = context.config();
  } catch (error) {
    return [node, { name: 'config', level: 'fail', message: errorText(error) }];
  }
  const brain = activeBrain(config);
  const [dataDir, temporal, ports, services] = await Promise.all([
    checkDataDir(config.dataDir),
    checkTemporal(config, context.env),
    checkPorts(config, context.control()),
    checkServices(config, context.env),
  ]);
  return [
    node,
    { name: 'config', level: 'ok', message: config.file ?? 'built-in demo (there is no harness.yaml)' },
    dataDir,
    ...temporal,
    ...ports,
    ...services,
    brain.problem === null
      ? { name: 'brain', level: 'ok', message: `${brain.brains.join(', then ')} (${brain.why})` }
      : { name: 'brain', level: 'fail', message: brain.problem },
  ];
}
