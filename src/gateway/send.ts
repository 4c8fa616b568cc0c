/**
 * Answers on the wire: heads, bodies from memory, bodies as streams. It knows HTTP and bytes, not
 * where they come from.
 */
import { once } from 'node:events';
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Bytes } from '../base/bytes.ts';
import { AltNetError, isAltNetError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { reasonOf } from '../base/reason.ts';
import type { SiteFile } from '../content/types.ts';
import type { Account } from './account.ts';
import { judge, type Wanted } from './conditions.ts';
import { pageHeaders } from './page.ts';
import { formatProblem, type Problem, problemOfError, problems } from './problem.ts';

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly account: Account;
}

/** What is answered with, but for its bytes. */
export interface Representation {
  readonly size: number;
  /** Media type. */
  readonly type: string;
  /** Quoted, strong; absent where the answer is no success and so has no conditions. */
  readonly etag?: string;
  readonly status?: 404;
  readonly cacheControl: string;
}

const whole: Wanted = { kind: 'whole' };
const notStored = 'no-store';

export function sendBytes(exchange: Exchange, shown: Representation, bytes: Bytes): void {
  const wanted = wantedOf(exchange, shown);
  writeHead(exchange.response, shown, wanted);
  if (!hasBody(exchange, wanted)) {
    exchange.response.end();
    return;
  }
  const body = wanted.kind === 'part' ? bytes.subarray(wanted.from, wanted.to) : bytes;
  exchange.account.bytes += body.length;
  exchange.response.end(body);
}

/** Whether an answer needs bytes at all: not for HEAD, nor for what the client has already. */
export function needsBytes(exchange: Exchange, shown: Representation): boolean {
  return hasBody(exchange, wantedOf(exchange, shown)) && shown.size > 0;
}

/**
 * Sends a file piece by piece, as fast as the client takes it. The head waits for the first piece,
 * so that content that cannot be had is still an honest error; `onBegin` tells when it is here.
 * Rejects when the source fails or gives another number of bytes than it promised.
 */
export async function sendFile(
  exchange: Exchange,
  shown: Representation,
  file: SiteFile,
  { signal, onBegin }: { readonly signal: AbortSignal; readonly onBegin: () => void },
): Promise<void> {
  const { response, account } = exchange;
  const wanted = wantedOf(exchange, shown);
  const { from, to } = wanted.kind === 'part' ? wanted : { from: 0, to: file.size };
  let left = to - from;
  for await (const piece of file.read({ from, to, signal })) {
    if (!response.headersSent) {
      onBegin();
      writeHead(response, shown, wanted);
    }
    left -= piece.length;
    if (left < 0) break;
    account.bytes += piece.length;
    if (!response.write(piece)) await once(response, 'drain', { signal });
  }
  if (left !== 0) {
    const why = 'a file does not have the length that it claims';
    throw new AltNetError('CONTENT_BAD', { root: file.cid.toString(), why });
  }
  response.end();
}

export function sendPage(exchange: Exchange, text: string): void {
  const bytes = Buffer.from(text);
  writeAll(exchange, bytes, 200, { ...pageHeaders, 'cache-control': notStored });
}

export function sendProblem(exchange: Exchange, problem: Problem): void {
  const { status } = problem;
  const headers: OutgoingHttpHeaders = { ...pageHeaders, 'cache-control': notStored };
  if (status === 405) headers['allow'] = 'GET, HEAD';
  if (status === 503) headers['retry-after'] = '5';
  writeAll(exchange, Buffer.from(formatProblem(problem)), status, headers);
}

/** An error page, or a broken connection where half an answer is out already. */
export function sendFailure(exchange: Exchange, error: unknown, log: Logger): void {
  const { response } = exchange;
  const problem = isAltNetError(error) ? problemOfError(error) : undefined;
  // A full disk is explained to the reader, and is still for the operator to mend.
  const isOperators = problem ? problem.status === 507 : !isAltNetError(error, 'ABORTED');
  if (isOperators) {
    log.error('the gateway could not answer', { why: reasonOf(error) });
  }
  if (response.headersSent || response.destroyed) response.destroy();
  else sendProblem(exchange, problem ?? problems.defect());
}

export function sendRedirect(
  exchange: Exchange,
  status: 302 | 308,
  { location, cacheControl = notStored }: { location: string; cacheControl?: string },
): void {
  const headers = { location, 'cache-control': cacheControl };
  writeAll(exchange, Buffer.alloc(0), status, headers);
}

function writeAll(
  { request, response, account }: Exchange,
  bytes: Bytes,
  status: number,
  headers: OutgoingHttpHeaders,
): void {
  response.writeHead(status, { ...headers, 'content-length': bytes.length });
  const isHead = request.method === 'HEAD';
  if (!isHead) account.bytes += bytes.length;
  response.end(isHead ? undefined : bytes);
}

function wantedOf({ request }: Exchange, { etag, size }: Representation): Wanted {
  if (etag === undefined) return whole;
  const { headers, method } = request;
  const ifNoneMatch = headers['if-none-match'];
  const range = method === 'HEAD' ? undefined : headers.range; // ranges are for GET alone
  if (ifNoneMatch === undefined && range === undefined) return whole;
  const ifRange = headers['if-range'];
  return judge(
    { ifNoneMatch, range, ifRange: Array.isArray(ifRange) ? ifRange.join() : ifRange },
    { etag, size },
  );
}

function hasBody({ request }: Exchange, { kind }: Wanted): boolean {
  return request.method !== 'HEAD' && (kind === 'whole' || kind === 'part');
}

function writeHead(response: ServerResponse, shown: Representation, wanted: Wanted): void {
  const { size, type, etag, status = 200, cacheControl } = shown;
  const headers: OutgoingHttpHeaders = { 'cache-control': cacheControl };
  if (etag !== undefined) headers['etag'] = etag;
  if (wanted.kind === 'unchanged') {
    response.writeHead(304, headers);
    return;
  }
  headers['x-content-type-options'] = 'nosniff';
  headers['accept-ranges'] = 'bytes';
  if (wanted.kind === 'unsatisfiable') {
    response.writeHead(416, {
      ...headers,
      'content-range': `bytes */${size}`,
      'content-length': 0,
    });
    return;
  }
  headers['content-type'] = type;
  if (wanted.kind === 'part') {
    headers['content-range'] = `bytes ${wanted.from}-${wanted.to - 1}/${size}`;
    headers['content-length'] = wanted.to - wanted.from;
    response.writeHead(206, headers);
    return;
  }
  headers['content-length'] = size;
  response.writeHead(status, headers);
}
