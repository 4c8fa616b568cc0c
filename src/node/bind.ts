/** Finding a port: a default one that is taken moves to the next free one, and says so. */
import { type HostPort, parseHostPort } from '../base/address.ts';
import { AltNetError, isAltNetError } from '../base/errors.ts';

/** How far a default port may move. */
const portsTriedMax = 50;

export interface BindRequest {
  /** host:port as the user or the default spells it. */
  readonly address: string;
  /** The user chose this very address: it must not move. */
  readonly explicit: boolean;
}

export interface Bound<T> {
  readonly value: T;
  /** A sentence for the user when the port moved. */
  readonly note: string | undefined;
}

export function formatHostPort({ host, port }: HostPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The address as host and port; an empty host means every address. Throws BAD_ADDRESS. */
export function requireHostPort(text: string): HostPort {
  const parsed = parseHostPort(text);
  if (!parsed) {
    throw new AltNetError('BAD_ADDRESS', { text, want: 'host:port, such as 127.0.0.1:8080' });
  }
  return parsed.host === '' ? { ...parsed, host: '0.0.0.0' } : parsed;
}

/**
 * Calls `open` with the wanted address and, when that fails with PORT_TAKEN and the port may move,
 * with the ports after it.
 */
export async function bindOrMove<T>(
  { address, explicit }: BindRequest,
  open: (address: HostPort) => Promise<T>,
): Promise<Bound<T>> {
  const wanted = requireHostPort(address);
  for (let moved = 0; ; moved++) {
    const port = wanted.port === 0 ? 0 : wanted.port + moved;
    try {
      const value = await open({ host: wanted.host, port });
      const note = moved === 0 ? undefined : `port ${wanted.port} is taken; using ${port} instead`;
      return { value, note };
    } catch (error) {
      const mayMove = !explicit && port !== 0 && moved < portsTriedMax && port < 65_535;
      if (!mayMove || !isAltNetError(error, 'PORT_TAKEN')) throw error;
    }
  }
}
