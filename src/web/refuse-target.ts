import { lookup } from 'node:dns/promises';
import type { Endpoints } from '../client/endpoints';
import type { InvariantDefinition } from '../domain/invariant';
import { refuseProbeAddress } from '../domain/probe-policy';

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

/** Judges where an invariant made by the API points, by every address its name resolves to now. */
export function createRefuseTarget(endpoints: () => Promise<Endpoints | null>) {
  return async ({ query }: InvariantDefinition): Promise<string | null> => {
    const url = new URL(query.replace(/^latency:/, ''));
    const port = url.port === '' ? (DEFAULT_PORTS[url.protocol] ?? 0) : Number(url.port);
    const ownPorts = portsOf(await endpoints());
    for (const address of await addressesOf(url.hostname.replace(/^\[|\]$/g, ''))) {
      const refused = refuseProbeAddress(address, port, ownPorts);
      if (refused) return refused;
    }
    return null;
  };
}

/** A name that does not resolve is no danger; the check will say so. */
async function addressesOf(hostname: string): Promise<readonly string[]> {
  try {
    return (await lookup(hostname, { all: true })).map(({ address }) => address);
  } catch {
    return [hostname];
  }
}

function portsOf(endpoints: Endpoints | null): readonly number[] {
  if (!endpoints) return [];
  const { temporalAddress, temporalUiUrl, webUrl, monitorUrl } = endpoints;
  return [`http://${temporalAddress}`, temporalUiUrl, webUrl, monitorUrl].flatMap((url) =>
    url !== null && URL.canParse(url) ? [Number(new URL(url).port)] : [],
  );
}
