import type { ControlFollower } from '../client/control-client';
import type { ServiceStatus } from '../domain/service-state';
import type { RecheckRequest } from '../workflows/contract';

export interface ExitWatcherDeps {
  readonly checkService: (service: string, cause: RecheckRequest['cause']) => Promise<void>;
  readonly log: {
    readonly warn: (message: string) => void;
    readonly error: (context: object, message: string) => void;
  };
}

/**
 * Turns what the supervisor reports into checks: an exit nobody asked for is checked at once and is its own confirmation;
 * after a reconnect every service whose process is another one, or gone, is looked at. Losing the stream loses no failure:
 * the sweeps go on.
 */
export function createExitWatcher({ checkService, log }: ExitWatcherDeps): ControlFollower {
  const known = new Map<string, ServiceStatus>();
  const check = (service: string, cause: RecheckRequest['cause']): void => {
    checkService(service, cause).catch((error: unknown) => {
      log.error({ err: error, service }, `no quick check of ${service}; the next sweep looks at it`);
    });
  };
  return {
    onSnapshot({ services }) {
      for (const service of services) {
        if (hasChangedUnseen(known.get(service.name), service)) check(service.name, 'event');
      }
      known.clear();
      for (const service of services) known.set(service.name, service);
    },
    onEvent({ kind, asked, service }) {
      known.set(service.name, service);
      if (kind !== 'exited' || asked) return;
      log.warn(`${service.name} ended and nobody asked for it; checking it now`);
      check(service.name, 'exit');
    },
    onDown(error) {
      log.warn(`exits are noticed by sweeps only: ${error.message}`);
    },
  };
}

function hasChangedUnseen(before: ServiceStatus | undefined, now: ServiceStatus): boolean {
  const isDead = now.state === 'exited' && now.desired === 'running';
  if (!before) return isDead;
  return before.pid !== now.pid || before.exit?.at !== now.exit?.at;
}
