/** Queries by datagram: one socket, bound once. Knows nothing of what they ask. */
import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns';
import { once } from 'node:events';
import { isIP, isIPv4 } from 'node:net';
import { formatEndpoint, type HostPort, parseIp } from '../base/address.ts';
import type { Bytes } from '../base/bytes.ts';
import { AltNetError, systemCode } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';

export type AnswerDatagram = (
  message: Bytes,
  from: string,
) => Bytes | undefined | Promise<Bytes | undefined>;

/** Room for a burst of some thousand questions while something else holds the event loop. */
const receiveBufferBytes = 1 << 20;

export class UdpListener {
  readonly #answer: AnswerDatagram;
  readonly #log: Logger;
  #socket: Socket | undefined;

  constructor(answer: AnswerDatagram, log: Logger) {
    this.#answer = answer;
    this.#log = log;
  }

  /** `host` is an IP address. Rejects with PORT_TAKEN, BIND_FAILED. */
  async start({ host, port }: HostPort): Promise<void> {
    const socket = createSocket({
      type: isIPv4(host) ? 'udp4' : 'udp6',
      ipv6Only: !isIPv4(host),
      // An answer goes to an address, and to look that up again takes a third of all its time.
      lookup: (name, options, callback) => {
        const family = isIP(name);
        if (family === 0) lookup(name, options, callback);
        else callback(null, name, family);
      },
    });
    const bound = once(socket, 'listening');
    socket.bind({ address: host, port, exclusive: true });
    try {
      await bound;
    } catch (error) {
      throw bindError(error, { host, port });
    }
    socket.on('error', (error) => {
      this.#log.debug('a DNS socket failed', { code: systemCode(error) });
    });
    socket.on('message', (message, { address, port: from }) => {
      this.#take(socket, message, { host: address, port: from });
    });
    trySetBuffer(socket);
    this.#socket = socket;
  }

  async stop(): Promise<void> {
    const socket = this.#socket;
    this.#socket = undefined;
    if (!socket) return;
    const closed = once(socket, 'close');
    socket.close();
    await closed;
  }

  #take(socket: Socket, message: Bytes, from: HostPort): void {
    const answer = this.#answer(message, from.host);
    if (answer instanceof Promise) {
      void answer.then((late) => this.#send(socket, late, from));
    } else this.#send(socket, answer, from);
  }

  #send(socket: Socket, message: Bytes | undefined, { host, port }: HostPort): void {
    // Port 0 can be written on a datagram, and nothing can be sent to it.
    if (message && port > 0 && this.#socket === socket) socket.send(message, port, host);
  }
}

/** A small buffer is no reason not to serve. */
function trySetBuffer(socket: Socket): void {
  try {
    socket.setRecvBufferSize(receiveBufferBytes);
  } catch {
    // The system's own size it is, then.
  }
}

export function bindError(error: unknown, { host, port }: HostPort): AltNetError {
  const code = systemCode(error) ?? 'unknown';
  const ip = parseIp(host);
  const address = ip ? formatEndpoint({ ip, port }) : `${host}:${port}`;
  return code === 'EADDRINUSE'
    ? new AltNetError('PORT_TAKEN', { address }, { cause: error })
    : new AltNetError('BIND_FAILED', { address, why: code }, { cause: error });
}
