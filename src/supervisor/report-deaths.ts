import type { HarnessConfig } from '../config/config';
import type { ComponentEvent } from './component';
import { describeExit } from './managed-process';
import { OWN_PROCESSES } from './own-processes';
import type { Supervisor } from './supervisor';

const CONSEQUENCES: Readonly<Record<string, string>> = {
  temporal: 'nothing is detected or repaired meanwhile',
  monitor: 'nothing is checked any more',
  agent: 'no ticket is worked on any more',
  web: 'the API and the dashboard are gone',
};

/** One loud line for every hang and every end of a process of the harness that nobody asked for; returns the way to stop listening. */
export function reportDeaths(
  supervisor: Pick<Supervisor, 'onComponentEvent'>,
  config: Pick<HarnessConfig, 'restartOwn'>,
  say: (line: string) => void,
): () => void {
  return supervisor.onComponentEvent((event) => {
    const line = deathLine(event, config.restartOwn);
    if (line !== null) say(line);
  });
}

function deathLine({ kind, restartInMs, component }: ComponentEvent, restartsOwn: boolean): string | null {
  const { name, exit, pid } = component;
  const isOwn = OWN_PROCESSES.some((own) => own === name);
  switch (kind) {
    case 'exited': {
      const what = `!!! ${name} ${exit === null ? 'ended' : describeExit(exit)}: ${CONSEQUENCES[name] ?? 'it is gone'}`;
      if (restartInMs !== null) return `${what}; starting it again in ${String(restartInMs / 1000)} s`;
      const advice = isOwn && !restartsOwn ? ', or set run.restart_own: true' : '';
      return `${what}. It is not started again by itself: restart "harness run"${advice}.`;
    }
    case 'hung':
      return `!!! ${name} hangs: its process (pid ${String(pid)}) lives and does not answer; killing it`;
    case 'ready':
      return `${name} is back (pid ${String(pid)})`;
    case 'starting':
    case 'stopped':
      return null;
  }
}
