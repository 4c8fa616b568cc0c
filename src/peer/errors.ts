/** What libp2p says, in AltNet's words. Branches on error names, which libp2p keeps stable. */
import { createServer } from 'node:net';
import { formatEndpoint, type HostPort, parseIp } from '../base/address.ts';
import { AltNetError, isAltNetError, systemCode } from '../base/errors.ts';
import { abortReason } from '../base/abort.ts';

function errorsIn(error: unknown): unknown[] {
  return error instanceof AggregateError ? error.errors.flatMap(errorsIn) : [error];
}

const timeouts: ReadonlySet<string> = new Set([
  'TimeoutError',
  'AbortError',
  'HandshakeTimeoutError',
]);
export interface DialFailure {
  readonly error: unknown;
  readonly what: string;
  readonly ms: number;
  readonly signal: AbortSignal | undefined;
}

/** UNREACHABLE, WRONG_PEER or TIMEOUT; the signal's reason when the caller gave up. */
export function dialError({ error, what, ms, signal }: DialFailure): Error {
  if (error instanceof AltNetError) return error;
  if (signal?.aborted) return abortReason(signal);
  const wrong: unknown = errorsIn(error).find((one) => isAltNetError(one, 'WRONG_PEER'));
  if (wrong instanceof Error) return wrong;
  const names = errorsIn(error).flatMap((one) => (one instanceof Error ? [one.name] : []));
  const codes = errorsIn(error).flatMap((one) => systemCode(one) ?? []);
  if (codes.length === 0 && names.length > 0 && names.every((name) => timeouts.has(name))) {
    return new AltNetError('TIMEOUT', { what: `connecting to ${what}`, ms }, { cause: error });
  }
  const why = codes[0] ?? names[0] ?? 'the connection failed';
  return new AltNetError('UNREACHABLE', { what, why }, { cause: error });
}

/**
 * libp2p hides the system's code of a failed listen in its text, so the same address is bound once
 * more to learn it: PORT_TAKEN or BIND_FAILED.
 */
export async function bindError(listen: readonly HostPort[], error: unknown): Promise<AltNetError> {
  for (const at of listen) {
    const code = await bindCode(at);
    if (code === undefined) continue;
    const ip = parseIp(at.host);
    const address = ip ? formatEndpoint({ ip, port: at.port }) : `${at.host}:${at.port}`;
    if (code === 'EADDRINUSE') return new AltNetError('PORT_TAKEN', { address }, { cause: error });
    return new AltNetError('BIND_FAILED', { address, why: code }, { cause: error });
  }
  const address = listen.map(({ host, port }) => `${host}:${port}`).join(', ');
  return new AltNetError('BIND_FAILED', { address, why: 'libp2p did not start' }, { cause: error });
}

function bindCode({ host, port }: HostPort): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const server = createServer();
  server.once('error', (error) => resolve(systemCode(error) ?? 'EUNKNOWN'));
  server.listen({ host, port, ipv6Only: host.includes(':') }, () => {
    server.close(() => resolve(undefined));
  });
  return promise;
}
