import type { Socket } from 'node:net';
import type { Observation } from './probe-target';

/** Where a socket is connected to; must be asked while it is. */
export function farEnd({ remoteAddress, remotePort }: Socket): Pick<Observation, 'remote'> {
  if (remoteAddress === undefined || remotePort === undefined) return {};
  return { remote: { ip: remoteAddress, port: remotePort } };
}
