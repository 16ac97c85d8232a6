import type { ConnectionOptions } from '@temporalio/client';
import { Client, Connection } from '@temporalio/client';
import type { HarnessConfig } from '../config/config';
import type { Endpoints } from './endpoints';

/** Where a Temporal service is and how to be let in. */
export interface TemporalTarget {
  readonly address: string;
  readonly namespace: string;
  /** TLS, API key and headers; absent for a server on loopback. */
  readonly security?: Pick<ConnectionOptions, 'tls' | 'apiKey' | 'metadata'>;
}

export interface TemporalAccess {
  readonly connection: Connection;
  readonly client: Client;
  readonly address: string;
  readonly namespace: string;
  close(): Promise<void>;
}

/** No Temporal service answers there. Exit code 69. */
export class TemporalUnreachable extends Error {
  override readonly name = 'TemporalUnreachable';
}

/**
 * `TEMPORAL_ADDRESS` (or the file's `temporal.address`), else what a running `harness run` wrote down.
 * Throws TemporalUnreachable when neither is there.
 */
export function resolveTemporalAddress(
  config: Pick<HarnessConfig, 'temporal' | 'dataDir'>,
  endpoints: Endpoints | null,
): { readonly address: string; readonly namespace: string } {
  const { address, namespace } = config.temporal;
  if (address !== null) return { address, namespace };
  if (endpoints !== null) {
    return { address: endpoints.temporalAddress, namespace: endpoints.temporalNamespace };
  }
  throw new TemporalUnreachable(
    `no Temporal address: TEMPORAL_ADDRESS is not set and no harness runs on ${config.dataDir}. ` +
      'Start one with "harness run", or set TEMPORAL_ADDRESS.',
  );
}

/**
 * The address with TLS, API key and headers. They belong to a configured address; a server that `harness run` started
 * has none of them. Throws TemporalUnreachable like `resolveTemporalAddress`.
 */
export function resolveTemporalTarget(
  config: Pick<HarnessConfig, 'temporal' | 'dataDir'>,
  endpoints: Endpoints | null,
): TemporalTarget {
  const target = resolveTemporalAddress(config, endpoints);
  const { address, apiKey, tls, metadata } = config.temporal;
  if (address === null) return target;
  return {
    ...target,
    security: {
      ...(tls === undefined ? {} : { tls }),
      ...(apiKey === undefined ? {} : { apiKey }),
      ...(metadata === undefined ? {} : { metadata }),
    },
  };
}

/** Connects and has the service answer once; throws TemporalUnreachable after `timeoutMs`. */
export async function connectTemporal(
  target: TemporalTarget,
  { timeoutMs }: { readonly timeoutMs: number },
): Promise<TemporalAccess> {
  let connection: Connection;
  try {
    connection = await Connection.connect({
      ...target.security,
      address: target.address,
      connectTimeout: timeoutMs,
    });
  } catch (error) {
    throw new TemporalUnreachable(
      `Temporal at ${target.address} did not answer within ${String(timeoutMs / 1000)} s ` +
        `(${error instanceof Error ? error.message : String(error)}). Is it running there? ` +
        'Start it, correct TEMPORAL_ADDRESS, or unset it to have "harness run" start its own.',
      { cause: error },
    );
  }
  return {
    connection,
    client: new Client({ connection, namespace: target.namespace }),
    address: target.address,
    namespace: target.namespace,
    close: () => connection.close(),
  };
}
