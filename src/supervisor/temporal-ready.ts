import { connect } from 'node:net';
import { Connection } from '@temporalio/client';
import type { TemporalTarget } from '../client/temporal';
import { connectTemporal } from '../client/temporal';

/**
 * Whether the server serves its namespace, which exists only a moment after the port opens. Rejects with the reason
 * when it does not; takes at most about a second.
 */
export async function temporalServes(target: TemporalTarget): Promise<boolean> {
  // gRPC waits a second after a refused connection; asking the port first saves that second.
  if (!(await accepts(target.address))) throw new Error(`nobody listens on ${target.address}`);
  const access = await connectTemporal(target, { timeoutMs: 1_000 });
  try {
    const { connection, namespace } = access;
    await connection.withDeadline(Date.now() + 1_000, () =>
      connection.workflowService.describeNamespace({ namespace }),
    );
    return true;
  } finally {
    await access.close();
  }
}

/** Resolves when the server answers anything at all, whatever state its database is in. */
export async function temporalAnswers({ address }: TemporalTarget, timeoutMs: number): Promise<void> {
  const connection = Connection.lazy({ address });
  try {
    await connection.withDeadline(Date.now() + timeoutMs, () => connection.workflowService.getSystemInfo({}));
  } finally {
    await connection.close();
  }
}

function accepts(address: string): Promise<boolean> {
  const at = address.lastIndexOf(':');
  return new Promise((resolve) => {
    const socket = connect({ host: address.slice(0, at), port: Number(address.slice(at + 1)) });
    const answer = (isOpen: boolean) => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.setTimeout(1_000, () => answer(false));
    socket.once('connect', () => answer(true));
    socket.once('error', () => answer(false));
  });
}
