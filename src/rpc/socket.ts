/**
 * The UDP sockets of a node: opening all or none, sending, closing. It hands datagrams on as they
 * come and knows nothing of what they carry.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import {
  type Endpoint,
  formatEndpoint,
  formatIp,
  type HostPort,
  parseIp,
} from '../base/address.ts';
import type { Bytes } from '../base/bytes.ts';
import { AltNetError, systemCode } from '../base/errors.ts';

export interface SocketEvents {
  /** `socket` is what an answer must leave by. */
  readonly onDatagram: (datagram: Bytes, address: string, port: number, socket: Socket) => void;
  /** A socket failed after it was bound. */
  readonly onError: (code: string) => void;
}

/** Room for a burst of about 800 datagrams while something else holds the event loop. */
const receiveBufferBytes = 1 << 20;
/** With port 0 and two families, how often another free port is tried. */
const portTriesMax = 8;

const wildcardV4 = '0.0.0.0';
const wildcardV6 = '::';

export class Sockets {
  readonly #events: SocketEvents;
  #open: Socket[] = []; // BOUNDED by the listen addresses, two sockets each

  constructor(events: SocketEvents) {
    this.#events = events;
  }

  /** Binds every address; when one fails, none stays open. Rejects with PORT_TAKEN, BIND_FAILED. */
  async open(addresses: readonly HostPort[]): Promise<void> {
    try {
      for (const address of addresses) await this.#openOne(address);
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    const closing = this.#open;
    this.#open = [];
    await Promise.all(closing.map(closeSocket));
  }

  /** Where the sockets are bound; a wildcard stays one, a port 0 has become a real one. */
  addresses(): Endpoint[] {
    return this.#open.flatMap((socket) => {
      const { address, port } = socket.address();
      const ip = parseIp(address);
      return ip ? [{ ip, port }] : [];
    });
  }

  /** Sends by `via`, or by the first socket of the family. `onError` gets the system's code. */
  send(
    { ip, port }: Endpoint,
    datagram: Bytes,
    { via, onError }: { via?: Socket | undefined; onError: (code: string) => void },
  ): void {
    const socket = via ?? this.#socketFor(ip.length);
    if (!socket || !this.#open.includes(socket)) return onError('EAFNOSUPPORT');
    socket.send(datagram, port, formatIp(ip), (error) => {
      if (error) onError(systemCode(error) ?? 'UNKNOWN');
    });
  }

  #socketFor(ipBytes: number): Socket | undefined {
    return this.#open.find((socket) => parseIp(socket.address().address)?.length === ipBytes);
  }

  async #openOne({ host, port }: HostPort): Promise<void> {
    if (host !== '' && host !== wildcardV4 && host !== wildcardV6) {
      this.#adopt(await bind(host, port));
      return;
    }
    const [v4, v6] = await bindWildcards(port);
    this.#adopt(v4);
    if (v6) this.#adopt(v6);
  }

  #adopt(socket: Socket): void {
    this.#open.push(socket);
    socket.on('message', (buffer, { address, port }) => {
      // A plain view: the methods of Buffer differ, its `slice` does not copy.
      const datagram = new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
      this.#events.onDatagram(datagram, address, port, socket);
    });
    socket.on('error', (error) => this.#events.onError(systemCode(error) ?? 'UNKNOWN'));
  }
}

/**
 * Sends one datagram from a socket of its own, bound to `from` and any free port, that is closed
 * afterwards. Resolves with the system's code where that failed.
 */
export async function sendFromFreePort(
  from: Bytes,
  to: Endpoint,
  datagram: Bytes,
): Promise<string | undefined> {
  let socket: Socket | undefined;
  try {
    socket = await bind(formatIp(from), 0);
    await promisedSend(socket, to, datagram);
    return undefined;
  } catch (error) {
    return systemCode(error) ?? 'UNKNOWN';
  } finally {
    if (socket) await closeSocket(socket);
  }
}

function promisedSend(socket: Socket, { ip, port }: Endpoint, datagram: Bytes): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.send(datagram, port, formatIp(ip), (error) => (error ? reject(error) : resolve()));
  });
}

/** IPv4 and, where this host has it, IPv6 on the same port. */
async function bindWildcards(port: number): Promise<[Socket, Socket | undefined]> {
  for (let tries = 1; ; tries++) {
    const v4 = await bind(wildcardV4, port);
    try {
      return [v4, await bind(wildcardV6, v4.address().port)];
    } catch (error) {
      if (!(error instanceof AltNetError) || error.code !== 'PORT_TAKEN') return [v4, undefined];
      await closeSocket(v4);
      // A free port of IPv4 may be taken in IPv6: with port 0 another one will do.
      if (port !== 0 || tries === portTriesMax) throw error;
    }
  }
}

/** A host name never gets this far, so Node need not look one up, nor wait a tick for it. */
function noLookup(
  address: string,
  _options: unknown,
  found: (error: Error | null, address: string, family: number) => void,
): void {
  found(null, address, address.includes(':') ? 6 : 4);
}

async function bind(host: string, port: number): Promise<Socket> {
  const ip = parseIp(host);
  if (!ip) throw new AltNetError('BAD_ADDRESS', { text: host, want: 'an IP address and a port' });
  const isV6 = ip.length === 16;
  const socket = createSocket({
    type: isV6 ? 'udp6' : 'udp4',
    ipv6Only: isV6,
    recvBufferSize: receiveBufferBytes,
    lookup: noLookup,
  });
  try {
    // Without a lookup, both events may come before `bind` returns.
    const listening = once(socket, 'listening');
    socket.bind({ address: host, port, exclusive: true });
    await listening;
    return socket;
  } catch (error) {
    socket.close();
    throw bindError(formatEndpoint({ ip, port }), error);
  }
}

function bindError(address: string, cause: unknown): AltNetError {
  const code = systemCode(cause);
  if (code === 'EADDRINUSE') return new AltNetError('PORT_TAKEN', { address }, { cause });
  const why = code ?? (cause instanceof Error ? cause.message : 'unknown');
  return new AltNetError('BIND_FAILED', { address, why }, { cause });
}

function closeSocket(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.close(() => resolve());
  });
}
