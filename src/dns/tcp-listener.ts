/**
 * Queries over connections (RFC 7766): several at a time on each, answered in the order in which
 * the answers are there. Connections, their silence and what waits on them are bounded. Knows
 * nothing of what they ask.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, isIPv4, type Server, type Socket } from 'node:net';
import type { HostPort } from '../base/address.ts';
import type { CancelTimer, Timers } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { systemCode } from '../base/errors.ts';
import { encodeFrame, FrameReader } from './frames.ts';
import { type AnswerDatagram, bindError } from './udp-listener.ts';

export interface TcpOptions {
  readonly connectionsMax: number;
  readonly connectionsOfOneMax: number;
  /** Without a whole query and without an answer that is due. */
  readonly idleMs: number;
  /** Queries of one connection that are not answered yet. */
  readonly pendingMax: number;
  readonly messageBytesMax: number;
  /** Answers that wait for a client that does not read: beyond that it gets none. */
  readonly unreadBytesMax: number;
}

export const tcpDefaults: TcpOptions = {
  connectionsMax: 256,
  connectionsOfOneMax: 64,
  idleMs: 10_000,
  pendingMax: 32,
  messageBytesMax: 4096,
  unreadBytesMax: 256 * 1024,
};

interface Deps {
  readonly answer: AnswerDatagram;
  /** Who counts as one: a network, or this machine. */
  readonly prefixOf: (address: string) => string;
  readonly onLimited: (reason: 'connections' | 'pipeline') => void;
  readonly timers: Timers;
  readonly log: Logger;
}

export class TcpListener {
  readonly #deps: Deps;
  readonly #options: TcpOptions;
  #server: Server | undefined;
  /** With whom it counts for. BOUNDED by connectionsMax. */
  readonly #open = new Map<Socket, string>();

  constructor(deps: Deps, options: TcpOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** `host` is an IP address. Resolves with the real port; rejects with PORT_TAKEN, BIND_FAILED. */
  async start({ host, port }: HostPort): Promise<number> {
    const server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
    const listening = once(server, 'listening');
    server.listen({ host, port, ipv6Only: !isIPv4(host), exclusive: true });
    try {
      await listening;
    } catch (error) {
      throw bindError(error, { host, port });
    }
    server.on('error', (error) => {
      this.#deps.log.debug('a DNS listener failed', { code: systemCode(error) });
    });
    this.#server = server;
    return (server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    const closed = once(server, 'close');
    server.close();
    for (const socket of this.#open.keys()) socket.destroy();
    await closed;
  }

  #accept(socket: Socket): void {
    socket.on('error', () => undefined); // it closes, which is all there is to know
    const { connectionsMax, connectionsOfOneMax } = this.#options;
    const from = socket.remoteAddress ?? '';
    const prefix = this.#deps.prefixOf(from);
    const ofOne = [...this.#open.values()].filter((one) => one === prefix).length;
    if (this.#open.size >= connectionsMax || ofOne >= connectionsOfOneMax) {
      this.#deps.onLimited('connections');
      socket.destroy();
      return;
    }
    this.#open.set(socket, prefix);
    socket.once('close', () => this.#open.delete(socket));
    new Connection(socket, from, { deps: this.#deps, options: this.#options }).serve();
  }
}

class Connection {
  readonly #socket: Socket;
  readonly #from: string;
  readonly #deps: Deps;
  readonly #options: TcpOptions;
  readonly #frames: FrameReader;
  /** Messages that came in one piece with those that are under way. BOUNDED by one read. */
  #waiting: Uint8Array[] = [];
  #pending = 0;
  #cancelIdle: CancelTimer = () => undefined;

  constructor(
    socket: Socket,
    from: string,
    { deps, options }: { readonly deps: Deps; readonly options: TcpOptions },
  ) {
    this.#socket = socket;
    this.#from = from;
    this.#deps = deps;
    this.#options = options;
    this.#frames = new FrameReader(options.messageBytesMax);
  }

  serve(): void {
    this.#socket.on('data', (piece: Buffer) => this.#read(piece));
    this.#socket.once('close', () => this.#cancelIdle());
    this.#watch();
  }

  #read(piece: Buffer): void {
    this.#waiting.push(...this.#frames.push(piece));
    if (this.#frames.isBroken) this.#socket.destroy();
    else this.#goOn();
  }

  /** Takes what may be under way; while more waits, nothing is read. */
  #goOn(): void {
    while (this.#pending < this.#options.pendingMax) {
      const message = this.#waiting.shift();
      if (!message) break;
      this.#pending++;
      this.#watch();
      void this.#serveOne(message);
    }
    if (this.#waiting.length === 0) this.#socket.resume();
    else if (!this.#socket.isPaused()) {
      this.#deps.onLimited('pipeline');
      this.#socket.pause();
    }
  }

  async #serveOne(message: Uint8Array): Promise<void> {
    const answer = await this.#deps.answer(message, this.#from);
    this.#pending--;
    if (this.#socket.destroyed) return;
    if (!answer) {
      this.#socket.destroy(); // no question: whoever sent it speaks something else
      return;
    }
    this.#socket.write(encodeFrame(answer));
    if (this.#socket.writableLength > this.#options.unreadBytesMax) this.#socket.destroy();
    else {
      this.#watch();
      this.#goOn();
    }
  }

  /** From a query or an answer on; octets that never become a query keep nothing open. */
  #watch(): void {
    this.#cancelIdle();
    this.#cancelIdle = this.#deps.timers.after(this.#options.idleMs, () => this.#socket.destroy());
  }
}
