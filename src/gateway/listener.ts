/**
 * The sockets of one server: on 127.0.0.1 also those of ::1, counted, and ended in an orderly way.
 * What is said on them it does not know.
 */
import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import { formatEndpoint, type HostPort, parseIp } from '../base/address.ts';
import type { CancelTimer, Timers } from '../base/clock.ts';
import { AltNetError, systemCode } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { clientNetworkOf } from './client-network.ts';
import { InFlight } from './inflight.ts';

/** An HTTP server of either kind. */
export type ClosingServer = Server & { closeIdleConnections(): void };

export interface ListenerOptions {
  readonly connectionsMax: number;
  /** Of one network, so that none takes the places of all others. */
  readonly connectionsPerClientMax: number;
  readonly limitsLoopback: boolean;
  /** How long open answers may go on after `stop`. */
  readonly stopGraceMs: number;
}

const sweepMs = 50;

export class Listener {
  readonly #deps: { readonly log: Logger; readonly timers: Timers };
  readonly #makeServer: () => ClosingServer;
  readonly #options: ListenerOptions;
  readonly #servers: ClosingServer[] = []; // BOUNDED by the calls of `listen`, two families each
  readonly #sockets = new Set<Socket>(); // BOUNDED by connectionsMax of each server
  readonly #clients: InFlight;
  #stopped: Promise<void> | undefined;

  constructor(
    deps: { readonly log: Logger; readonly timers: Timers },
    makeServer: () => ClosingServer,
    options: ListenerOptions,
  ) {
    this.#deps = deps;
    this.#makeServer = makeServer;
    this.#options = options;
    const { connectionsMax: requestsMax, connectionsPerClientMax: requestsPerClientMax } = options;
    this.#clients = new InFlight({ requestsMax, requestsPerClientMax });
  }

  get connections(): number {
    return this.#sockets.size;
  }

  /** Rejects with PORT_TAKEN or BIND_FAILED. `port` 0: any free one. */
  async listen({ host, port }: HostPort): Promise<void> {
    await this.#listenOn({ host, port });
    if (host !== '127.0.0.1') return;
    try {
      await this.#listenOn({ host: '::1', port: this.address().port });
    } catch (error) {
      const why = systemCode(error instanceof Error ? error.cause : undefined);
      this.#deps.log.debug('the gateway does not listen on ::1', { why });
    }
  }

  /** Where it listens. Only after `listen`. */
  address(): HostPort {
    const bound = this.#servers[0]?.address();
    if (bound === null || bound === undefined || typeof bound === 'string') {
      throw new AltNetError('INTERNAL', { what: 'the gateway is not listening' });
    }
    return { host: bound.address, port: bound.port };
  }

  /** Open answers may end within the grace period. */
  stop(): Promise<void> {
    this.#stopped ??= Promise.all(this.#servers.map((server) => this.#close(server))).then(
      () => undefined,
    );
    return this.#stopped;
  }

  async #listenOn({ host, port }: HostPort): Promise<void> {
    const server = this.#makeServer();
    server.maxConnections = this.#options.connectionsMax;
    server.listen({ host, port });
    try {
      await once(server, 'listening');
    } catch (error) {
      const address = addressText({ host, port });
      if (systemCode(error) === 'EADDRINUSE') {
        throw new AltNetError('PORT_TAKEN', { address }, { cause: error });
      }
      const why = systemCode(error) ?? String(error);
      throw new AltNetError('BIND_FAILED', { address, why }, { cause: error });
    }
    // Such as too many open files: one connection is lost then, not the process.
    server.on('error', (error) => {
      this.#deps.log.warn('the gateway lost a connection', { why: systemCode(error) });
    });
    server.on('connection', (socket: Socket) => this.#take(socket));
    this.#servers.push(server);
  }

  #take(socket: Socket): void {
    if (this.#sockets.has(socket)) return; // a tunnel that ends at the server it came to
    const network = clientNetworkOf(socket.remoteAddress ?? '', this.#options);
    if (this.#clients.enter(network) !== undefined) {
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#clients.leave(network);
    });
  }

  async #close(server: ClosingServer): Promise<void> {
    const { timers } = this.#deps;
    const closed = once(server, 'close');
    server.close();
    const cancelCut = timers.after(this.#options.stopGraceMs, () => {
      for (const socket of this.#sockets) socket.destroy();
    });
    let cancelSweep: CancelTimer | undefined;
    const sweep = (): void => {
      server.closeIdleConnections(); // those whose last answer has ended meanwhile
      cancelSweep = timers.after(sweepMs, sweep);
    };
    sweep();
    await closed;
    cancelSweep?.();
    cancelCut();
  }
}

function addressText({ host, port }: HostPort): string {
  const ip = parseIp(host);
  return ip ? formatEndpoint({ ip, port }) : `${host}:${port}`;
}
