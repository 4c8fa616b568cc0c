/**
 * The HTTP gateway (docs/spec/http.md, "Gateway"): its doors, which are plain HTTP, HTTPS and
 * tunnels to either, and their limits. What is answered is the responder's business.
 */
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import type { HostPort } from '../base/address.ts';
import { AltNetError } from '../base/errors.ts';
import type { GatewayCounts } from './account.ts';
import { type ClosingServer, Listener } from './listener.ts';
import { Repeats } from './repeats.ts';
import { Responder, type ResponderDeps, type ResponderOptions } from './responder.ts';
import { frontLabel } from './host.ts';
import { type Certificates, makeSecureServer } from './secure.ts';
import { siteAnswersDefaults } from './siteanswers.ts';
import { Tunnels } from './tunnels.ts';

export interface GatewayDeps extends ResponderDeps {
  /** Those that exist already: a client who asks for HTTPS makes no authority. */
  readonly findCertificates?: (() => Promise<Certificates | undefined>) | undefined;
}

export interface GatewayOptions extends Partial<ResponderOptions> {
  /** An address. 127.0.0.1 also serves ::1, which browsers may try first for localhost. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** How long open answers may go on after `stop`. */
  readonly stopGraceMs?: number;
  /** A connection on which nothing moves for so long is closed. */
  readonly idleTimeoutMs?: number;
  /** Of each door. */
  readonly connectionsMax?: number;
  /** Of one IPv4 address or one IPv6 /64; this machine's own have no such limit. */
  readonly connectionsPerClientMax?: number;
  readonly tunnelsMax?: number;
  readonly tunnelsPerClientMax?: number;
  /** Of answers at hand, in all and of those made for one network. 0: every request is read. */
  readonly atHandBytesMax?: number;
  readonly atHandBytesPerClientMax?: number;
}

const second = 1000;
const mebibyte = 1024 * 1024;

const defaults: Required<Omit<GatewayOptions, 'host' | 'port'>> = {
  ...siteAnswersDefaults,
  limitsLoopback: false,
  tld: 'alt',
  stopGraceMs: second,
  idleTimeoutMs: 60 * second, // longer than answerTimeoutMs, so that slow content gets its page
  connectionsMax: 1024,
  connectionsPerClientMax: 256,
  tunnelsMax: 512,
  tunnelsPerClientMax: 256,
  atHandBytesMax: 8 * mebibyte,
  atHandBytesPerClientMax: 2 * mebibyte,
};

const serverOptions: ServerOptions = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 10 * second,
  requestTimeout: 20 * second,
  connectionsCheckingInterval: 2 * second,
  keepAliveTimeout: 30 * second,
  requireHostHeader: true,
  optimizeEmptyRequests: true, // a request without a body has nothing to wait for
  insecureHTTPParser: false,
};

export class Gateway {
  readonly #deps: GatewayDeps;
  readonly #options: Required<GatewayOptions>;
  readonly #responder: Responder;
  readonly #repeats: Repeats;
  readonly #tunnels: Tunnels;
  readonly #plain: Listener;
  #secure: Listener | undefined;
  /** Where tunnels for HTTPS end; it listens nowhere. */
  #inTunnels: ClosingServer | undefined;
  #stopped: Promise<void> | undefined;

  constructor(deps: GatewayDeps, options: GatewayOptions) {
    this.#deps = deps;
    this.#options = { ...defaults, ...options };
    this.#responder = new Responder(deps, this.#options);
    this.#repeats = new Repeats(deps.world.clock, {
      bytesMax: this.#options.atHandBytesMax,
      bytesPerClientMax: this.#options.atHandBytesPerClientMax,
      idleTimeoutMs: this.#options.idleTimeoutMs,
    });
    this.#plain = this.#listener(() => this.#makePlainServer());
    const secure = (): Promise<ClosingServer | undefined> => this.#secureInTunnels();
    const securePort = (): number | undefined => this.#secure?.address().port;
    this.#tunnels = new Tunnels({ log: deps.log, secure, securePort }, this.#options);
  }

  /** Opens the plain door. Rejects with PORT_TAKEN or BIND_FAILED. */
  async start(): Promise<void> {
    const { host, port } = this.#options;
    await this.#plain.listen({ host, port });
    this.#responder.start();
  }

  /** Opens the door for HTTPS, which may be the only one. Rejects like `start`. */
  async startSecure(at: HostPort, certificates: Certificates): Promise<void> {
    const listener = this.#listener(() => this.#makeSecureServer(certificates));
    await listener.listen(at);
    this.#secure = listener;
    this.#responder.start();
  }

  /** Open answers may end within the grace period. */
  stop(): Promise<void> {
    this.#responder.stop();
    this.#repeats.stop();
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  /** Where the plain door is. Only after `start`. */
  address(): HostPort {
    return this.#plain.address();
  }

  /** Where the door for HTTPS is. Only after `startSecure`. */
  secureAddress(): HostPort {
    if (this.#secure) return this.#secure.address();
    throw new AltNetError('INTERNAL', { what: 'the gateway does not listen for HTTPS' });
  }

  /** Since the start. */
  counts(): GatewayCounts {
    const connections = this.#plain.connections + (this.#secure?.connections ?? 0);
    return { ...this.#responder.counts(), connections };
  }

  /** Drops what is remembered of names and contents: call it when a name moves or is taken away. */
  forget(): void {
    this.#responder.forget();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #listener(makeServer: () => ClosingServer): Listener {
    const { log, world } = this.#deps;
    return new Listener({ log, timers: world.timers }, makeServer, this.#options);
  }

  #makePlainServer(): Server {
    const server = createServer(serverOptions, (request, response) =>
      this.#respond(request, response),
    );
    server.timeout = this.#options.idleTimeoutMs;
    if (this.#options.atHandBytesMax > 0) this.#repeats.follow(server, 'connection');
    this.#tunnels.serve(server);
    return server;
  }

  #makeSecureServer(certificates: Certificates): ClosingServer {
    const { log, world } = this.#deps;
    const server = makeSecureServer(
      {
        certificates,
        respond: (request, response) => this.#respond(request, response),
        log,
        timers: world.timers,
      },
      {
        ownHost: `${frontLabel}.${this.#options.tld}`,
        http: serverOptions,
        idleTimeoutMs: this.#options.idleTimeoutMs,
      },
    );
    if (this.#options.atHandBytesMax > 0) this.#repeats.follow(server, 'secureConnection');
    return server;
  }

  #respond(request: IncomingMessage, response: ServerResponse): void {
    const repeatable = this.#responder.respond(request, response, this.#letGo);
    this.#repeats.note(request, response, repeatable);
  }

  /** A request holds all its fields: of a connection that waits for the next, none is to stay. */
  readonly #letGo = (request: IncomingMessage, response: ServerResponse): void => {
    if (request.httpVersionMajor > 1) return;
    this.#tunnels.letGo(request.socket);
    this.#repeats.letGo(request, response);
  };

  async #secureInTunnels(): Promise<ClosingServer | undefined> {
    if (this.#inTunnels) return this.#inTunnels;
    const certificates = await this.#deps.findCertificates?.();
    if (!certificates || this.#stopped) return undefined;
    this.#inTunnels ??= this.#makeSecureServer(certificates);
    // It never listens, and begins with this to look after its connections.
    this.#inTunnels.emit('listening');
    return this.#inTunnels;
  }

  async #stop(): Promise<void> {
    this.#inTunnels?.close();
    await Promise.all([this.#plain.stop(), this.#secure?.stop()]);
  }
}
