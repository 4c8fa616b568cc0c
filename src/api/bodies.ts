/**
 * Which bodies the API reads, how long they may be and how long they may take: JSON and small
 * values as a whole, tar archives as they arrive. It does not know what they mean.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isTooDeep, jsonDepthMax } from './json-body.ts';
import { gzipType, tarType } from './media-types.ts';
import { refuse } from './refusal.ts';

export const jsonBytesMax: number = 65_536;

export interface BodyLimits {
  /** For all of a body that is read as a whole. */
  readonly bodyMs: number;
  /** For the rest of a request that was answered already. */
  readonly lingerMs: number;
  readonly onSlow: (error: Error, request: FastifyRequest, reply: FastifyReply) => unknown;
}

export function acceptBodies(app: FastifyInstance, limits: BodyLimits): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    ['application/octet-stream', 'text/plain'],
    { parseAs: 'buffer' },
    (request, body, done) => {
      if (configOf(request).takes === 'octets') done(null, body);
      else done(refuse(415, 'the body', 'send application/json'));
    },
  );
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    const text = body.toString();
    const why = `it is nested more than ${jsonDepthMax} deep`;
    if (isTooDeep(text)) done(refuse(400, 'the body', why));
    else void parseJson(request, text, done);
  });
  app.addContentTypeParser([tarType, gzipType], (request, _payload, done) => {
    if (configOf(request).takesTar !== true) {
      done(refuse(415, 'the body', 'this endpoint takes no tar archive'));
    } else if (isPackedOtherwise(request)) {
      done(refuse(415, 'the body', 'of all compressions only gzip is known here'));
    } else done(null);
  });
  app.addHook('preParsing', async (request, reply) => limitTime(request, reply, limits));
  app.addHook('onResponse', async ({ raw }) => endAfter(raw, limits.lingerMs));
}

/** What an endpoint takes besides JSON, kept with its route. */
interface BodyConfig {
  readonly takes?: string;
  readonly takesTar?: boolean;
}

function configOf({ routeOptions }: FastifyRequest): BodyConfig {
  return routeOptions.config as BodyConfig;
}

export function isTarBody({ headers }: FastifyRequest): boolean {
  const [type = ''] = (headers['content-type'] ?? '').toLowerCase().split(';');
  return type.trim() === tarType || type.trim() === gzipType;
}

function isPackedOtherwise({ headers }: FastifyRequest): boolean {
  const encoding = headers['content-encoding']?.toLowerCase() ?? 'identity';
  return encoding !== 'identity' && encoding !== 'gzip';
}

/** Whether a tar archive is packed, as its sender says. */
export function isGzipped({ headers }: FastifyRequest): boolean {
  const type = (headers['content-type'] ?? '').toLowerCase();
  return type.startsWith(gzipType) || headers['content-encoding']?.toLowerCase() === 'gzip';
}

function limitTime(
  request: FastifyRequest,
  reply: FastifyReply,
  { bodyMs, onSlow }: BodyLimits,
): void {
  const { raw } = request;
  if (raw.method === 'GET' || raw.complete || isTarBody(request)) return;
  const expire = (): void => {
    if (reply.sent) return;
    reply.header('connection', 'close');
    onSlow(refuse(408, 'the body', `it took more than ${bodyMs / 1000} s`), request, reply);
  };
  const timer = setTimeout(expire, bodyMs);
  const clear = (): void => clearTimeout(timer);
  raw.once('end', clear).once('close', clear);
}

/**
 * A sender who is cut off while sending may never see the answer; so it may go on a little, and
 * what comes is thrown away.
 */
function endAfter(raw: FastifyRequest['raw'], lingerMs: number): void {
  if (raw.complete || raw.destroyed) return;
  raw.resume();
  const timer = setTimeout(() => raw.socket.destroy(), lingerMs);
  const clear = (): void => clearTimeout(timer);
  raw.once('end', clear).once('close', clear);
}
