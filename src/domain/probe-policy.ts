/**
 * Why a check may not be sent to this address: link-local and metadata addresses hand out credentials, and the harness's own
 * ports would let a check act on the harness. Null when it may. `address` is a literal or a resolved IP address.
 */
export function refuseProbeAddress(
  address: string,
  port: number,
  ownPorts: readonly number[],
): string | null {
  const host = address.replace(/^\[|\]$/g, '').toLowerCase();
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(host)?.[1] ?? host;
  if (/^169\.254\./.test(mapped) || /^fe[89ab][0-9a-f]:/.test(host) || host === 'fd00:ec2::254') {
    return `${address} is a link-local or metadata address`;
  }
  const isThisMachine = /^127\./.test(mapped) || host === '::1' || host === '::' || mapped === '0.0.0.0';
  if (isThisMachine && ownPorts.includes(port)) return `port ${port} belongs to the harness itself`;
  return null;
}
