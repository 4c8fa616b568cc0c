/**
 * The HTTP API of a node (docs/spec/http.md, "API"): checks who calls, checks what they send
 * against the schemas, calls the node, answers. It decides nothing about names, sites or links.
 */
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { HostPort } from '../base/address.ts';
import { AltNetError, isAltNetError, systemCode } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { valueBytesMax } from '../content/values.ts';
import { carriesToken, isOwnHost } from './guard.ts';
import { openApiDocument } from './openapi.ts';
import type { NodeServices } from './ports.ts';
import { asReported, replyWith } from './reply.ts';
import type { Route } from './route.ts';
import { routes } from './routes.ts';
import { encodeError, statusOfCode } from './status.ts';
import { isToken } from './token.ts';

export interface ApiDeps {
  readonly services: NodeServices;
  /** 16 to 512 visible ASCII characters, see token.ts. */
  readonly token: string;
  readonly log: Logger;
}

export interface ApiOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
}

const jsonBytesMax = 65_536;
const connectionsMax = 256;
/** Anyone on this machine may check names, so that costs the network only so much. */
const openRequestsMax = 8;
/** For the request to arrive; how long its answer takes is not limited. */
const requestTimeoutMs = 30_000;

export class Api {
  readonly #deps: ApiDeps;
  readonly #options: ApiOptions;
  #app: FastifyInstance | undefined;
  #stopped: Promise<void> | undefined;
  #openRequests = 0;

  constructor(deps: ApiDeps, options: ApiOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** Rejects with PORT_TAKEN or BIND_FAILED, and with BAD_ARGUMENT for a token that is none. */
  async start(): Promise<void> {
    if (!isToken(this.#deps.token)) {
      const why = 'write 16 to 512 printable ASCII characters without spaces';
      throw new AltNetError('BAD_ARGUMENT', { what: 'the API token', why });
    }
    const app = this.#createApp();
    const { host, port } = this.#options;
    try {
      await app.listen({ host, port });
    } catch (error) {
      await app.close();
      const address = `${host}:${port}`;
      if (systemCode(error) === 'EADDRINUSE') throw new AltNetError('PORT_TAKEN', { address });
      const why = systemCode(error) ?? String(error);
      throw new AltNetError('BIND_FAILED', { address, why }, { cause: error });
    }
    app.server.maxConnections = connectionsMax;
    // Such as too many open files: one connection is lost then, not the process.
    app.server.on('error', (error) => {
      this.#deps.log.warn('the API lost a connection', { why: systemCode(error) });
    });
    this.#app = app;
  }

  /** Ends open requests: their work is told to stop. */
  stop(): Promise<void> {
    this.#stopped ??= this.#app?.close() ?? Promise.resolve();
    return this.#stopped;
  }

  /** Where it listens. Only after `start`. */
  address(): HostPort {
    const bound = this.#app?.server.address();
    if (bound === null || bound === undefined || typeof bound === 'string') {
      throw new AltNetError('INTERNAL', { what: 'the API is not listening' });
    }
    return { host: bound.address, port: bound.port };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #createApp(): FastifyInstance {
    const app = Fastify({
      bodyLimit: jsonBytesMax,
      requestTimeout: requestTimeoutMs,
      forceCloseConnections: true,
      exposeHeadRoutes: false,
      routerOptions: { maxParamLength: 255 },
      // What callers send is judged as it is, never bent into shape.
      ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false } },
      frameworkErrors: (error, request, reply) => {
        void this.#sendError(error, request, reply);
      },
    });
    app.removeContentTypeParser('text/plain');
    app.addContentTypeParser(
      ['application/octet-stream', 'text/plain'],
      { parseAs: 'buffer' },
      (_request, body, done) => done(null, body),
    );
    app.setSerializerCompiler(() => (data) => JSON.stringify(data));
    app.setErrorHandler((error, request, reply) => this.#sendError(error, request, reply));
    app.setNotFoundHandler((request) => {
      const what = `${request.method} ${request.url.slice(0, 200)}`;
      throw new Refusal(404, new AltNetError('BAD_ARGUMENT', { what, why: 'no such endpoint' }));
    });
    app.addHook('onRequest', async (request, reply) => this.#admit(request, reply));
    for (const route of routes) this.#addRoute(app, route);
    app.get('/api/openapi.json', () => openApiDocument(routes));
    return app;
  }

  /** The Host is judged before anything else, the token before the body is read. */
  #admit(request: FastifyRequest, reply: FastifyReply): void {
    reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
    const { host, authorization } = request.headers;
    const { localAddress } = request.socket;
    if (!isOwnHost(host, { boundHost: this.#options.host, localAddress })) {
      const why = 'is not a name of this node; use 127.0.0.1 or localhost';
      throw new Refusal(421, new AltNetError('BAD_ARGUMENT', { what: 'the Host header', why }));
    }
    const open = (request.routeOptions.config as { open?: boolean }).open === true;
    if (open || carriesToken(authorization, this.#deps.token)) return;
    reply.header('www-authenticate', 'Bearer');
    throw new AltNetError('UNAUTHORIZED', {});
  }

  #addRoute(app: FastifyInstance, route: Route): void {
    app.route({
      method: route.method,
      url: route.path,
      config: { open: route.open },
      bodyLimit: route.from === 'octets' ? valueBytesMax : jsonBytesMax,
      ...schemaOf(route),
      handler: (request, reply) =>
        route.open ? this.#answerOpen(route, request, reply) : this.#answer(route, request, reply),
    });
  }

  #answer(route: Route, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    const input = inputOf(route, request);
    return replyWith({ request, reply, form: route.answer, log: this.#deps.log }, (options) =>
      route.run(this.#deps.services, input, options),
    );
  }

  async #answerOpen(route: Route, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    if (this.#openRequests >= openRequestsMax) throw new AltNetError('BUSY', { what: route.path });
    this.#openRequests++;
    try {
      return await this.#answer(route, request, reply);
    } finally {
      this.#openRequests--;
    }
  }

  #sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const refusal = error instanceof Refusal ? error : parseRefusal(error, request);
    const reported = refusal?.reason ?? asReported(error, this.#deps.log);
    const status = refusal?.status ?? statusOfCode[reported.code];
    if (status === 503) reply.header('retry-after', '5');
    return reply.code(status).type('application/json; charset=utf-8').send(encodeError(reported));
  }
}

/** An error whose status follows from HTTP rather than from its code. */
class Refusal extends Error {
  readonly status: number;
  readonly reason: AltNetError;

  constructor(status: number, reason: AltNetError) {
    super(reason.message);
    this.status = status;
    this.reason = reason;
  }
}

function inputOf({ from, query }: Route, request: FastifyRequest): unknown {
  if (from === 'none') return undefined;
  if (query) return { ...(request.query as object), ...(request.params as object) };
  if (from !== 'octets') return request[from];
  if (request.body instanceof Uint8Array) return request.body;
  const why = 'send the value as application/octet-stream or text/plain';
  throw new AltNetError('BAD_ARGUMENT', { what: 'the body', why });
}

/** The framework checks the input before the handler sees it. */
function schemaOf({ from, input, query }: Route): object {
  if (input === undefined) return {};
  const place = from === 'query' ? 'querystring' : from;
  return { schema: { [place]: input, ...(query && { querystring: query }) } };
}

/** What the framework found wrong with a request, in our words; undefined for any other error. */
function parseRefusal(error: unknown, request: FastifyRequest): Refusal | undefined {
  if (isAltNetError(error) || !(error instanceof Error)) return undefined;
  const { statusCode, message } = error as Error & { statusCode?: unknown };
  if (typeof statusCode !== 'number' || statusCode < 400 || statusCode > 499) return undefined;
  const isValue = request.routeOptions.url === '/api/values';
  if (statusCode === 413 && isValue) {
    const bytes = Number(request.headers['content-length'] ?? valueBytesMax + 1);
    return new Refusal(413, new AltNetError('VALUE_TOO_BIG', { bytes, bytesMax: valueBytesMax }));
  }
  const why = message.slice(0, 500);
  return new Refusal(statusCode, new AltNetError('BAD_ARGUMENT', { what: 'the request', why }));
}
