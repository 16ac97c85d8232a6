import type { ControlRequest, ServiceStatus } from '../domain/service-state';

/** A ticket's orders are fenced by what people want, and do not change it. */
export function isTicket({ by }: Pick<ControlRequest, 'by'>): boolean {
  return by.startsWith('ticket:');
}

/** Why an order must not be carried out on a service in this state, or null. */
export function fence({ expect, action, by }: ControlRequest, service: ServiceStatus): string | null {
  const { name, pid, startedAt, state } = service;
  const now = pid === null ? `has no living process (${state})` : `runs as pid ${pid} since ${startedAt}`;
  if (expect === 'exited' && pid !== null) {
    return `${name} ${now}, but was believed to have exited; nothing was done.`;
  }
  if (typeof expect === 'object' && (pid !== expect.pid || startedAt !== expect.startedAt)) {
    return `${name} ${now}, but was believed to run as pid ${expect.pid} since ${expect.startedAt}; nothing was done.`;
  }
  if (action !== 'stop' && isTicket({ by }) && service.desired === 'stopped') {
    return `A person stopped ${name}; only a person starts it again ("harness service start ${name}").`;
  }
  return null;
}
