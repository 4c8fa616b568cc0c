/**
 * Answers on the wire: heads, bodies from memory, bodies as streams. It knows HTTP and bytes, not
 * where they come from.
 */
import { once } from 'node:events';
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { CID } from 'multiformats/cid';
import { abortReason, withDeadline } from '../base/abort.ts';
import type { Bytes } from '../base/bytes.ts';
import type { Timers } from '../base/clock.ts';
import { AltNetError, isAltNetError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { reasonOf } from '../base/reason.ts';
import type { SiteFile } from '../content/types.ts';
import type { Account } from './account.ts';
import { splitTarget } from './asked.ts';
import { breakOff } from './break-off.ts';
import { judge, type Wanted } from './conditions.ts';
import type { Encoding } from './encodings.ts';
import { frontLinkOf, parseAuthority } from './host.ts';
import { pageHeaders } from './page.ts';
import { type Problem, problemOfError, problems } from './problem.ts';
import { formProblem } from './problem-forms.ts';
import { proxyAddressFor } from './proxy.ts';
import type { PageStatus, RedirectStatus } from './redirects.ts';

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly account: Account;
  /** The ending of names in hosts. */
  readonly tld: string;
}

/** What is answered with, but for its bytes. */
export interface Representation {
  /** Undefined where nobody knows before the end: then there are no ranges. */
  readonly size: number | undefined;
  /** Media type. */
  readonly type: string;
  /** Quoted; absent where the answer is no success and so has no conditions. */
  readonly etag?: string | undefined;
  readonly status?: PageStatus | undefined;
  readonly cacheControl: string;
  /** What `size` and the bytes are in. Then there are no ranges. */
  readonly encoding?: Encoding | undefined;
  /** Whoever accepts other encodings may get other bytes. */
  readonly varies?: boolean | undefined;
  /** Where it comes from: "/ipfs/ROOT/path". */
  readonly place?: string | undefined;
  /** Headers of this kind of answer alone. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** What sending goes by, for as long as it takes. */
export interface Sending {
  readonly signal: AbortSignal;
  /** The first piece is here: the client's patience decides from now on. */
  readonly onBegin: () => void;
  /** Told where the file stands that is shown. It may be denied: then the signal says so. */
  readonly onFound: (path: string) => void;
  readonly timers: Timers;
  /** Whoever does not take what is waiting for it within this, or at 4 KiB/s, is cut off. */
  readonly readerTimeoutMs: number;
}

const whole: Wanted = { kind: 'whole' };
const noBody: Bytes = new Uint8Array(0);
const notStored = 'no-store';
const readerBytesPerSecondMin = 4096;
/** More of a body than this is not handed over at once. */
const pieceBytesMax = 256 * 1024;
/** So much may wait in the socket of a client who has been answered. */
const leftWaitingBytesMax = 64 * 1024;

/**
 * Only for what is small, or kept in memory anyway: it waits for its reader where it is. Gives what
 * went out behind the head.
 */
export function sendBytes(exchange: Exchange, shown: Representation, bytes: Bytes): Bytes {
  const wanted = wantedOf(exchange, shown);
  writeHead(exchange.response, shown, wanted);
  if (!hasBody(exchange, wanted)) {
    exchange.response.end();
    return noBody;
  }
  const body = wanted.kind === 'part' ? bytes.subarray(wanted.from, wanted.to) : bytes;
  exchange.account.bytes += body.length;
  exchange.response.end(body);
  return body;
}

/** The same of any size: what is large keeps its place until its reader has it. */
export async function sendWhole(
  exchange: Exchange,
  shown: Representation,
  bytes: Bytes,
  sending: Sending,
): Promise<void> {
  if (bytes.length <= leftWaitingBytesMax || !needsBytes(exchange, shown)) {
    sendBytes(exchange, shown, bytes);
    return;
  }
  const wanted = wantedOf(exchange, shown);
  const body = wanted.kind === 'part' ? bytes.subarray(wanted.from, wanted.to) : bytes;
  await sendPieces(exchange, { shown, wanted }, piecesOf(body), sending);
  exchange.response.end();
}

/** Whether an answer needs bytes at all: not for HEAD, nor for what the client has already. */
export function needsBytes(exchange: Exchange, shown: Representation): boolean {
  return hasBody(exchange, wantedOf(exchange, shown)) && shown.size !== 0;
}

/** Whether the client has it already. */
export function isUnchanged(exchange: Exchange, shown: Representation): boolean {
  return wantedOf(exchange, shown).kind === 'unchanged';
}

/**
 * Sends a file piece by piece, as fast as the client takes it. The head waits for the first piece,
 * so that content that cannot be had is still an honest error. Rejects when the source fails or
 * gives another number of bytes than it promised.
 */
export async function sendFile(
  exchange: Exchange,
  shown: Representation,
  file: SiteFile,
  sending: Sending,
): Promise<void> {
  const wanted = wantedOf(exchange, shown);
  const { from, to } = wanted.kind === 'part' ? wanted : { from: 0, to: file.size };
  const pieces = exactly(to - from, file, file.read({ from, to, signal: sending.signal }));
  await sendPieces(exchange, { shown, wanted }, pieces, sending);
  exchange.response.end();
}

/** Sends what comes until it ends; the head with the first of it. Rejects like the source. */
export async function sendStream(
  exchange: Exchange,
  shown: Representation,
  pieces: AsyncIterable<Bytes> | Iterable<Bytes>,
  sending: Sending,
): Promise<void> {
  await sendPieces(exchange, { shown, wanted: wantedOf(exchange, shown) }, pieces, sending);
  exchange.response.end();
}

async function sendPieces(
  { response, account }: Exchange,
  { shown, wanted }: { readonly shown: Representation; readonly wanted: Wanted },
  pieces: AsyncIterable<Bytes> | Iterable<Bytes>,
  sending: Sending,
): Promise<void> {
  for await (const piece of pieces) {
    if (!response.headersSent) {
      sending.onBegin();
      writeHead(response, shown, wanted);
    }
    account.bytes += piece.length;
    if (!response.write(piece)) await untilTaken(response, sending);
  }
}

/** Rejects with TIMEOUT when the client reads hardly anything: its place is wanted by others. */
async function untilTaken(
  response: ServerResponse,
  { signal, timers, readerTimeoutMs }: Sending,
): Promise<void> {
  const waiting = response.writableLength;
  const ms = Math.max(readerTimeoutMs, (waiting / readerBytesPerSecondMin) * 1000);
  await withDeadline({ timers, ms, what: 'the reader', signal }, async (ended) => {
    try {
      await once(response, 'drain', { signal: ended });
    } catch (error) {
      throw ended.aborted ? abortReason(ended) : error;
    }
  });
}

function* piecesOf(bytes: Bytes): Generator<Bytes, void, undefined> {
  for (let at = 0; at < bytes.length; at += pieceBytesMax) {
    yield bytes.subarray(at, at + pieceBytesMax);
  }
}

/** Half a file must never look like a whole one, nor a whole one like half of another. */
async function* exactly(
  bytes: number,
  { cid }: SiteFile,
  pieces: AsyncIterable<Bytes>,
): AsyncGenerator<Bytes, void, undefined> {
  let left = bytes;
  for await (const piece of pieces) {
    left -= piece.length;
    if (left < 0) break;
    yield piece;
  }
  if (left === 0) return;
  const why = 'a file does not have the length that it claims';
  throw new AltNetError('CONTENT_BAD', { root: cid.toString(), why });
}

export function sendPage(exchange: Exchange, text: string): void {
  const bytes = Buffer.from(text);
  writeAll(exchange, bytes, 200, { ...pageHeaders, 'cache-control': notStored });
}

export function sendProblem(exchange: Exchange, problem: Problem): void {
  const { status } = problem;
  const { accept } = exchange.request.headers;
  const { text, headers: own } = formProblem(problem, {
    accept,
    frontLink: frontLinkFor(exchange),
  });
  const headers: OutgoingHttpHeaders = { ...own, 'cache-control': notStored, vary: 'Accept' };
  if (status === 405) headers['allow'] = 'GET, HEAD';
  if (status === 503 || status === 429) headers['retry-after'] = '5';
  writeAll(exchange, Buffer.from(text), status, headers);
}

function frontLinkFor({ request, tld }: Exchange): string {
  const authority = parseAuthority(splitTarget(request).authority, tld);
  const { localAddress: address = '', localPort: port = 0 } = request.socket;
  return frontLinkOf(authority, { tld, arrivedAt: proxyAddressFor(authority, { address, port }) });
}

/**
 * An error page, or a broken connection where half an answer is out already. `root`: of what was
 * asked for, if that is known.
 */
export function sendFailure(exchange: Exchange, error: unknown, log: Logger, root?: CID): void {
  const { response } = exchange;
  const problem = isAltNetError(error) ? problemOfError(error, root) : undefined;
  // A full disk is explained to the reader, and is still for the operator to mend.
  const isOperators = problem ? problem.status === 507 : !isAltNetError(error, 'ABORTED');
  if (isOperators) {
    log.error('the gateway could not answer', { why: reasonOf(error) });
  }
  if (response.headersSent || response.destroyed) breakOff(response);
  else sendProblem(exchange, problem ?? problems.defect());
}

export function sendRedirect(
  exchange: Exchange,
  status: RedirectStatus,
  { location, cacheControl = notStored }: { location: string; cacheControl?: string },
): void {
  const headers = { location, 'cache-control': cacheControl };
  writeAll(exchange, Buffer.alloc(0), status, headers);
}

/** An answer of the gateway itself, all of it at once. */
export function writeAll(
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

function wantedOf({ request }: Exchange, shown: Representation): Wanted {
  const { etag, size, encoding } = shown;
  if (etag === undefined) return whole;
  const { headers, method } = request;
  const ifNoneMatch = headers['if-none-match'];
  const hasRanges = method !== 'HEAD' && size !== undefined && encoding === undefined;
  const range = hasRanges ? headers.range : undefined; // ranges are for GET alone
  if (ifNoneMatch === undefined && range === undefined) return whole;
  const ifRange = headers['if-range'];
  return judge(
    { ifNoneMatch, range, ifRange: Array.isArray(ifRange) ? ifRange.join() : ifRange },
    { etag, size: size ?? 0 },
  );
}

function hasBody({ request }: Exchange, { kind }: Wanted): boolean {
  return request.method !== 'HEAD' && (kind === 'whole' || kind === 'part');
}

function writeHead(response: ServerResponse, shown: Representation, wanted: Wanted): void {
  const { size, type, etag, status = 200, cacheControl, encoding, varies, place } = shown;
  const headers: OutgoingHttpHeaders = { 'cache-control': cacheControl };
  if (etag !== undefined) headers['etag'] = etag;
  if (varies) headers['vary'] = 'Accept-Encoding';
  if (wanted.kind === 'unchanged') {
    response.writeHead(304, { ...headers, ...shown.headers });
    return;
  }
  headers['x-content-type-options'] = 'nosniff';
  if (place !== undefined) headers['x-ipfs-path'] = place;
  if (encoding !== undefined) headers['content-encoding'] = encoding;
  else if (size !== undefined) headers['accept-ranges'] = 'bytes';
  if (wanted.kind === 'unsatisfiable') {
    response.writeHead(416, {
      ...headers,
      'content-range': `bytes */${size}`,
      'content-length': 0,
    });
    return;
  }
  headers['content-type'] = type;
  if (shown.headers) Object.assign(headers, shown.headers);
  if (wanted.kind === 'part') {
    headers['content-range'] = `bytes ${wanted.from}-${wanted.to - 1}/${size}`;
    headers['content-length'] = wanted.to - wanted.from;
    response.writeHead(206, headers);
    return;
  }
  if (size !== undefined) headers['content-length'] = size;
  response.writeHead(status, headers);
}
