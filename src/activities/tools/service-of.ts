import type { ServiceConfig } from '../../config/config';
import { REFUSED, ToolProblem } from './tool-result';

/** The configured service of that name; policy has allowed it, this machine must also know it. */
export function serviceOf(services: readonly ServiceConfig[], name: string | null): ServiceConfig {
  const service = services.find((candidate) => candidate.name === name);
  if (service) return service;
  throw new ToolProblem(
    `There is no service ${JSON.stringify(name)} in this agent's configuration. Known: ${services.map((known) => known.name).join(', ')}.`,
    REFUSED,
  );
}
