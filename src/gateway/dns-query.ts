/**
 * DNS over HTTPS (RFC 8484) on the HTTPS gateway's own host: takes a message out of a request and
 * sends back what the resolver says. It does not look into messages.
 */
import type { IncomingMessage } from 'node:http';
import { withDeadline } from '../base/abort.ts';
import { asBuffer, type Bytes, concatBytes } from '../base/bytes.ts';
import type { Timers } from '../base/clock.ts';
import { AltNetError } from '../base/errors.ts';
import { type Exchange, writeAll } from './send.ts';

export interface DnsAnswer {
  readonly message: Bytes;
  readonly maxAgeSeconds: number;
}

/** Undefined for what is no query. */
export type AnswerDns = (
  message: Bytes,
  from: { readonly address: string },
) => Promise<DnsAnswer | undefined>;

export const dnsPath = 'dns-query';

const messageType = 'application/dns-message';
const messageBytesMax = 4096;
const bodyMs = 10_000;

type Refusal = 400 | 405 | 413 | 415;

/** `query`: "?…" as it came. Rejects when the client leaves or is too slow. */
export async function answerDnsQuery(
  exchange: Exchange,
  query: string,
  { answer, timers }: { readonly answer: AnswerDns; readonly timers: Timers },
): Promise<void> {
  const message = await messageOf(exchange.request, query, timers);
  if (typeof message === 'number') {
    refuse(exchange, message);
    return;
  }
  const address = exchange.request.socket.remoteAddress ?? '';
  const said = await answer(message, { address });
  if (!said) {
    refuse(exchange, 400);
    return;
  }
  writeAll(exchange, said.message, 200, {
    'content-type': messageType,
    'cache-control': `max-age=${Math.max(0, Math.floor(said.maxAgeSeconds))}`,
    'x-content-type-options': 'nosniff',
  });
}

async function messageOf(
  request: IncomingMessage,
  query: string,
  timers: Timers,
): Promise<Bytes | Refusal> {
  const { method, headers } = request;
  if (method === 'POST') {
    const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase();
    if (type !== messageType) return 415;
    return withDeadline({ timers, ms: bodyMs, what: 'the body of a query' }, () =>
      readBody(request),
    );
  }
  if (method !== 'GET' && method !== 'HEAD') return 405;
  const text = new URLSearchParams(query).get('dns') ?? '';
  if (text.length > Math.ceil((messageBytesMax * 4) / 3)) return 413;
  if (text === '' || !/^[\w-]+$/.test(text)) return 400;
  return Uint8Array.from(Buffer.from(text, 'base64url'));
}

async function readBody(request: IncomingMessage): Promise<Bytes | 413> {
  const pieces: Bytes[] = []; // BOUNDED by messageBytesMax
  let bytes = 0;
  try {
    for await (const piece of request as AsyncIterable<Buffer>) {
      bytes += piece.length;
      if (bytes > messageBytesMax) return 413;
      pieces.push(piece);
    }
  } catch (error) {
    throw new AltNetError('ABORTED', {}, { cause: error }); // the client has gone
  }
  return concatBytes(...pieces);
}

const reasons: Readonly<Record<Refusal, string>> = {
  400: 'That is no DNS query.',
  405: 'Use GET or POST.',
  413: `A query has at most ${messageBytesMax} octets.`,
  415: `Send ${messageType}.`,
};

/** For programs: a sentence is enough. */
function refuse(exchange: Exchange, status: Refusal): void {
  writeAll(exchange, asBuffer(Buffer.from(`${reasons[status]}\n`)), status, {
    'content-type': 'text/plain; charset=utf-8',
    'cache-control': 'no-store',
    ...(status === 405 && { allow: 'GET, HEAD, POST' }),
    ...(exchange.request.httpVersionMajor === 1 && { connection: 'close' }),
  });
}
