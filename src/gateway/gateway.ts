/**
 * The HTTP gateway (docs/spec/http.md, "Gateway"): its sockets and their limits. What is answered
 * is the responder's business.
 */
import { once } from 'node:events';
import { createServer, type Server, type ServerOptions } from 'node:http';
import type { HostPort } from '../base/address.ts';
import type { CancelTimer } from '../base/clock.ts';
import { AltNetError, systemCode } from '../base/errors.ts';
import type { GatewayCounts } from './account.ts';
import { Responder, type ResponderDeps } from './responder.ts';
import type { SiteAnswersOptions } from './siteanswers.ts';

export type GatewayDeps = ResponderDeps;

export interface GatewayOptions extends Partial<SiteAnswersOptions> {
  /** An address. 127.0.0.1 also serves ::1, which browsers may try first for localhost. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** How long open answers may go on after `stop`. */
  readonly stopGraceMs?: number;
  /** A connection on which nothing moves for so long is closed. */
  readonly idleTimeoutMs?: number;
  readonly connectionsMax?: number;
}

const second = 1000;
const sweepMs = 50;

const defaults: Required<Omit<GatewayOptions, 'host' | 'port'>> = {
  stopGraceMs: second,
  idleTimeoutMs: 60 * second, // longer than answerTimeoutMs, so that slow content gets its page
  connectionsMax: 1024,
  answerTimeoutMs: 30 * second,
  nameFreshMs: second / 2,
  requestsMax: 512,
  requestsPerClientMax: 256, // a browser with many tabs open; six connections to each host
  cachedBytesMax: 16 * 1024 * 1024,
  cachedBodyBytesMax: 64 * 1024,
};

const serverOptions: ServerOptions = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 10 * second,
  requestTimeout: 20 * second,
  connectionsCheckingInterval: 2 * second,
  keepAliveTimeout: 30 * second,
  requireHostHeader: true,
  insecureHTTPParser: false,
};

export class Gateway {
  readonly #deps: GatewayDeps;
  readonly #options: Required<GatewayOptions>;
  readonly #responder: Responder;
  readonly #servers: Server[] = []; // BOUNDED by two: IPv4 and IPv6
  #connections = 0;
  #stopped: Promise<void> | undefined;

  constructor(deps: GatewayDeps, options: GatewayOptions) {
    this.#deps = deps;
    this.#options = { ...defaults, ...options };
    this.#responder = new Responder(deps, this.#options);
  }

  /** Rejects with PORT_TAKEN or BIND_FAILED. */
  async start(): Promise<void> {
    const { host, port } = this.#options;
    await this.#listen({ host, port });
    this.#responder.start();
    if (host !== '127.0.0.1') return;
    try {
      await this.#listen({ host: '::1', port: this.address().port });
    } catch (error) {
      const why = systemCode(error instanceof Error ? error.cause : undefined);
      this.#deps.log.debug('the gateway does not listen on ::1', { why });
    }
  }

  /** Open answers may end within the grace period. */
  stop(): Promise<void> {
    this.#responder.stop();
    this.#stopped ??= Promise.all(this.#servers.map((server) => this.#close(server))).then(
      () => undefined,
    );
    return this.#stopped;
  }

  /** Where it listens. Only after `start`. */
  address(): HostPort {
    const bound = this.#servers[0]?.address();
    if (bound === null || bound === undefined || typeof bound === 'string') {
      throw new AltNetError('INTERNAL', { what: 'the gateway is not listening' });
    }
    return { host: bound.address, port: bound.port };
  }

  /** Since the start. */
  counts(): GatewayCounts {
    return { ...this.#responder.counts(), connections: this.#connections };
  }

  /** Drops what is remembered of names and contents: call it when a name moves or is taken away. */
  forget(): void {
    this.#responder.forget();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #listen({ host, port }: HostPort): Promise<void> {
    const server = createServer(serverOptions, (request, response) =>
      this.#responder.respond(request, response),
    );
    server.maxConnections = this.#options.connectionsMax;
    server.timeout = this.#options.idleTimeoutMs;
    server.listen({ host, port });
    try {
      await once(server, 'listening');
    } catch (error) {
      const address = `${host}:${port}`;
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
    server.on('connection', (socket) => {
      this.#connections++;
      socket.once('close', () => this.#connections--);
    });
    this.#servers.push(server);
  }

  async #close(server: Server): Promise<void> {
    const { timers } = this.#deps.world;
    const closed = once(server, 'close');
    server.close();
    const cancelCut = timers.after(this.#options.stopGraceMs, () => server.closeAllConnections());
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
