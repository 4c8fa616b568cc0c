/**
 * The HTTP API of a node (docs/spec/http.md, "API"): checks who calls, checks what they send
 * against the schemas, calls the node, answers. It decides nothing about names, sites or links.
 */
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { HostPort } from '../base/address.ts';
import { AltNetError, systemCode } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { isOwnHost } from '../base/own-host.ts';
import { valueBytesMax } from '../content/values.ts';
import { Admission } from './admission.ts';
import { acceptBodies, isGzipped, isTarBody, jsonBytesMax } from './bodies.ts';
import { answerBroken } from './broken-requests.ts';
import { compileAtFirstUse } from './first-use.ts';
import { carriesToken, doubledHeader, isOwnOrigin } from './guard.ts';
import { openApiDocument } from './openapi.ts';
import type { NodeServices } from './ports.ts';
import { parseRefusal, Refusal, refuse } from './refusal.ts';
import { asReported, replyWith, type Work } from './reply.ts';
import type { Route, TarForm } from './route.ts';
import { routes } from './routes.ts';
import { encodeError, statusOfCode } from './status.ts';
import { isToken } from './token.ts';
import { Upload } from './upload.ts';

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
  readonly limits?: Partial<ApiLimits> | undefined;
}

export interface ApiLimits {
  /** For a request's head to arrive, and for its body, unless that is an upload. */
  readonly headMs: number;
  readonly bodyMs: number;
  /** Of an upload: without a byte of it while the node waits, and for all of it. */
  readonly uploadIdleMs: number;
  readonly uploadMs: number;
  /** For the rest of a request that was answered before it was read, so that its end is read. */
  readonly lingerMs: number;
}

export const apiLimits: ApiLimits = {
  headMs: 10_000,
  bodyMs: 30_000,
  uploadIdleMs: 30_000,
  uploadMs: 3_600_000,
  lingerMs: 2000,
};

const connectionsMax = 256;

export class Api {
  readonly #deps: ApiDeps;
  readonly #options: ApiOptions;
  readonly #limits: ApiLimits;
  readonly #admission = new Admission();
  readonly #answers = new Map<number, number>(); // BOUNDED by the statuses of the API
  #app: FastifyInstance | undefined;
  #stopped: Promise<void> | undefined;

  constructor(deps: ApiDeps, options: ApiOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#limits = { ...apiLimits, ...options.limits };
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

  /** Answers since the start, by status. */
  answers(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#answers);
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
    const { headMs, uploadMs } = this.#limits;
    const app = Fastify({
      bodyLimit: jsonBytesMax,
      // Of all kinds of bodies; what is shorter for most of them is in bodies.ts.
      requestTimeout: headMs + uploadMs,
      http: { headersTimeout: headMs, connectionsCheckingInterval: Math.min(headMs, 5000) },
      forceCloseConnections: true,
      exposeHeadRoutes: false,
      routerOptions: { maxParamLength: 255 },
      // What callers send is judged as it is, never bent into shape.
      ajv: {
        customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false },
        onCreate: compileAtFirstUse,
      },
      clientErrorHandler: answerBroken,
      frameworkErrors: (error, request, reply) => {
        void this.#sendError(error, request, reply);
      },
    });
    app.addHook('onRequest', async (request, reply) => this.#admit(request, reply));
    app.addHook('onResponse', async (_request, { statusCode: status }) => {
      this.#answers.set(status, (this.#answers.get(status) ?? 0) + 1);
    });
    acceptBodies(app, { ...this.#limits, onSlow: (...late) => this.#sendError(...late) });
    app.setSerializerCompiler(() => (data) => JSON.stringify(data));
    app.setErrorHandler((error, request, reply) => this.#sendError(error, request, reply));
    app.setNotFoundHandler((request) => {
      throw refuse(404, `${request.method} ${request.url.slice(0, 200)}`, 'no such endpoint');
    });
    for (const route of routes) this.#addRoute(app, route);
    // Nothing in it is this node's own, and tools that read it seldom bring a token.
    app.get('/api/openapi.json', { config: { open: true } }, () => openApiDocument(routes));
    return app;
  }

  /** The Host is judged before anything else, the token before the body is read. */
  #admit(request: FastifyRequest, reply: FastifyReply): void {
    reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
    const { headers, method, raw, socket } = request;
    const { host, authorization } = headers;
    const { localAddress } = socket;
    if (!isOwnHost(host, { boundHost: this.#options.host, localAddress })) {
      const why = 'is not a name of this node; use 127.0.0.1 or localhost';
      throw refuse(421, 'the Host header', why);
    }
    const doubled = doubledHeader(raw.rawHeaders);
    if (doubled !== undefined) throw refuse(400, `the header ${doubled}`, 'it is there twice');
    if (method !== 'GET' && method !== 'HEAD' && !isOwnOrigin(headers)) {
      throw refuse(403, 'the request', 'pages in browsers may not change anything here');
    }
    const open = (request.routeOptions.config as { open?: boolean }).open === true;
    if (open || carriesToken(authorization, this.#deps.token)) return;
    reply.header('www-authenticate', 'Bearer');
    throw new AltNetError('UNAUTHORIZED', {});
  }

  #addRoute(app: FastifyInstance, route: Route): void {
    const { method, path: url, open, from, tar } = route;
    app.route({
      method,
      url,
      config: { open, takes: from, takesTar: tar !== undefined },
      bodyLimit: from === 'octets' ? valueBytesMax : jsonBytesMax,
      ...schemaOf(route),
      handler: (request, reply) =>
        tar && isTarBody(request)
          ? this.#answerUpload(route, tar, { request, reply })
          : this.#answer(route, { request, reply }),
    });
  }

  #answer(route: Route, exchange: Exchange): Promise<unknown> {
    const input = inputOf(route, exchange.request);
    const { services } = this.#deps;
    const limit = { name: `${route.method} ${route.path}`, atOnceMax: route.atOnceMax };
    return this.#reply(route, { exchange, limit }, (options) =>
      route.run(services, input, options),
    );
  }

  async #answerUpload(route: Route, tar: TarForm, exchange: Exchange): Promise<unknown> {
    const { request } = exchange;
    const { uploadIdleMs: idleMs, uploadMs: totalMs } = this.#limits;
    const upload = new Upload(request.raw, { idleMs, totalMs });
    const body = upload.bytes({ isGzip: isGzipped(request) });
    const limit = { name: `tar archives to ${route.path}`, atOnceMax: tar.atOnceMax };
    try {
      return await this.#reply(route, { exchange, limit }, (options) =>
        tar.run(this.#deps.services, { input: request.query, body }, options),
      );
    } catch (error) {
      if (upload.hasExpired && error instanceof AltNetError) throw new Refusal(408, error);
      throw error;
    }
  }

  #reply(
    { answer: form }: Route,
    { exchange, limit }: { exchange: Exchange; limit: { name: string; atOnceMax: number } },
    work: Work,
  ): Promise<unknown> {
    const { log } = this.#deps;
    return this.#admission.run(limit, () => replyWith({ ...exchange, form, log }, work));
  }

  #sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const refusal = parseRefusal(error);
    const isValue = request.routeOptions.url === '/api/values';
    const isTooBig = refusal?.status === 413 && isValue;
    const reason = isTooBig ? valueTooBig(request) : refusal?.reason;
    const reported = reason ?? asReported(error, this.#deps.log);
    const status = refusal?.status ?? statusOfCode[reported.code];
    if (status === 503) reply.header('retry-after', '5');
    return reply.code(status).type('application/json; charset=utf-8').send(encodeError(reported));
  }
}

interface Exchange {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

function valueTooBig({ headers }: FastifyRequest): AltNetError {
  const bytes = Number(headers['content-length'] ?? valueBytesMax + 1);
  return new AltNetError('VALUE_TOO_BIG', { bytes, bytesMax: valueBytesMax });
}

function inputOf({ from, query, tar }: Route, request: FastifyRequest): unknown {
  if (from === 'none') return undefined;
  if (query) return { ...(request.query as object), ...(request.params as object) };
  if (tar && Object.keys(request.query as object).length > 0) {
    throw refuse(400, 'the query', 'it belongs to a tar archive; with JSON, put it into that');
  }
  // With two forms of the body, the framework lets one pass that is not there at all.
  if (from === 'body' && request.body === undefined) throw refuse(400, 'the body', 'send JSON');
  if (from !== 'octets') return request[from];
  if (request.body instanceof Uint8Array) return request.body;
  throw refuse(400, 'the body', 'send the value as application/octet-stream or text/plain');
}

/** The framework checks the input before the handler sees it. */
function schemaOf({ from, input, query, tar }: Route): object {
  if (input === undefined) return {};
  const place = from === 'query' ? 'querystring' : from;
  const schema = tar ? { content: { 'application/json': { schema: input } } } : input;
  const querystring = query ?? tar?.query;
  return { schema: { [place]: schema, ...(querystring && { querystring }) } };
}
