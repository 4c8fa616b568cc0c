/**
 * The endpoint for metrics and health: GET /metrics, /healthz and /livez over HTTP. It needs no
 * token, as it tells numbers and no secrets, and answers to no foreign name.
 */
import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import type { HostPort } from '../base/address.ts';
import { AltNetError, systemCode } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { isOwnHost } from '../base/own-host.ts';
import { reasonOf } from '../base/reason.ts';
import { askedForm } from './accept.ts';
import type { Metrics } from './metrics.ts';

export interface MetricsServerDeps {
  readonly metrics: Metrics;
  readonly log: Logger;
}

export interface MetricsServerOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
}

const second = 1000;
const serverOptions: ServerOptions = {
  maxHeaderSize: 8 * 1024,
  headersTimeout: 5 * second,
  requestTimeout: 10 * second,
  connectionsCheckingInterval: 2 * second,
  keepAliveTimeout: 75 * second, // longer than most who ask wait between two requests
};
const connectionsMax = 32;
const jsonType = 'application/json; charset=utf-8';
const textType = 'text/plain; charset=utf-8';

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

export class MetricsServer {
  readonly #deps: MetricsServerDeps;
  readonly #options: MetricsServerOptions;
  #server: Server | undefined;
  #stopped: Promise<void> | undefined;

  constructor(deps: MetricsServerDeps, options: MetricsServerOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** Rejects with PORT_TAKEN or BIND_FAILED. */
  async start(): Promise<void> {
    const { host, port } = this.#options;
    const server = createServer(serverOptions, (request, response) => {
      void this.#respond(request, response);
    });
    server.maxConnections = connectionsMax;
    server.listen({ host, port });
    try {
      await once(server, 'listening');
    } catch (error) {
      const address = `${host}:${port}`;
      if (systemCode(error) === 'EADDRINUSE') throw new AltNetError('PORT_TAKEN', { address });
      const why = systemCode(error) ?? String(error);
      throw new AltNetError('BIND_FAILED', { address, why }, { cause: error });
    }
    // Such as too many open files: one connection is lost then, not the process.
    server.on('error', (error) => {
      this.#deps.log.warn('the metrics endpoint lost a connection', { why: systemCode(error) });
    });
    this.#server = server;
  }

  /** Cuts what is under way: whoever asks asks again. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** Where it listens. Only after `start`. */
  address(): HostPort {
    const bound = this.#server?.address();
    if (bound === null || bound === undefined || typeof bound === 'string') {
      throw new AltNetError('INTERNAL', { what: 'the metrics endpoint is not listening' });
    }
    return { host: bound.address, port: bound.port };
  }

  async #stop(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  }

  /** Answers every request, and never rejects. */
  async #respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      send(request, response, await this.#answer(request));
    } catch (error) {
      this.#deps.log.error('the metrics could not be told', { why: reasonOf(error) });
      if (response.headersSent) response.destroy();
      else send(request, response, failure(500, 'this should not happen; the log says more'));
    }
  }

  async #answer({ method, url = '/', headers, socket }: IncomingMessage): Promise<Answer> {
    const { host: boundHost } = this.#options;
    const { localAddress } = socket;
    if (!isOwnHost(headers.host, { boundHost, localAddress })) {
      return failure(421, 'the Host is not a name of this node; use 127.0.0.1 or localhost');
    }
    if (isForeignPage(headers)) return failure(403, 'pages of other sites may not ask here');
    if (method !== 'GET' && method !== 'HEAD') return failure(405, 'use GET or HEAD');
    const [path = ''] = url.split('?');
    switch (path) {
      case '/metrics':
        return this.#metrics(headers.accept);
      case '/healthz':
        return health(this.#deps.metrics);
      case '/livez':
        return { status: 200, type: textType, text: 'ok' };
      default:
        return failure(404, 'there are /metrics, /healthz and /livez');
    }
  }

  async #metrics(accept: string | undefined): Promise<Answer> {
    const { metrics } = this.#deps;
    // The parts end one after the other, and are not asked any more.
    if (metrics.health === 'stopping') return failure(503, 'the node is stopping');
    const form = askedForm(accept);
    if (form === 'json') {
      const document = metrics.document();
      if (document) return { status: 200, type: jsonType, text: `${JSON.stringify(document)}\n` };
    } else {
      const told = await metrics.text(form);
      if (told) return { status: 200, type: told.contentType, text: told.text };
    }
    return failure(503, 'the node is starting');
  }
}

/**
 * Whether a browser says that a page of another site asks. It could not read the answer, but have
 * the node busy with answers; sites that the node's own gateway shows are such pages, too.
 */
function isForeignPage(headers: IncomingHttpHeaders): boolean {
  const site = headers['sec-fetch-site'];
  return site === 'cross-site' || site === 'same-site';
}

function health({ health: state }: Metrics): Answer {
  const isReady = state === 'ready';
  return { status: isReady ? 200 : 503, type: textType, text: isReady ? 'ok' : state };
}

function failure(status: number, error: string): Answer {
  return { status, type: jsonType, text: `${JSON.stringify({ error })}\n` };
}

function send(
  { method, headers: asked }: IncomingMessage,
  response: ServerResponse,
  { status, type, text }: Answer,
): void {
  const bytes = Buffer.from(text);
  const headers: OutgoingHttpHeaders = {
    'content-type': type,
    'content-length': bytes.length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    vary: 'accept',
  };
  if (status === 405) headers['allow'] = 'GET, HEAD';
  if (status === 503) headers['retry-after'] = '1';
  // A body is never read, so its connection cannot be used again.
  const hasBody = asked['transfer-encoding'] ?? asked['content-length'];
  if (hasBody !== undefined && hasBody !== '0') headers['connection'] = 'close';
  response.writeHead(status, headers);
  response.end(method === 'HEAD' ? undefined : bytes);
}
