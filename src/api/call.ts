/**
 * One HTTP request to a node's API and its answer. It knows the forms of answers, not what they
 * mean.
 */
import { type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http';
import { Readable } from 'node:stream';
import { abortReason } from '../base/abort.ts';
import { parseHostPort } from '../base/address.ts';
import { concatBytes, parseUtf8 } from '../base/bytes.ts';
import { AltNetError, systemCode } from '../base/errors.ts';
import { tarType } from './media-types.ts';
import { ndjsonType, readLines } from './ndjson.ts';
import type { CallOptions } from './ports.ts';
import { decodeError } from './status.ts';

/** The node that is called. */
export interface Target {
  readonly host: string;
  readonly port: number;
  readonly token: string;
}

export interface Call {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** With what callers chose already percent-encoded. */
  readonly path: string;
  /** At most one of the three. */
  readonly json?: object;
  readonly octets?: Uint8Array;
  /** Sent as it comes, and read only as fast as the node takes it. */
  readonly tar?: AsyncIterable<Uint8Array>;
}

/** More than any JSON answer holds: a node's list of 100,000 links. */
const answerBytesMax = 64 * 1024 * 1024;

/** Throws BAD_ADDRESS. */
export function parseApiAddress(address: string): { host: string; port: number } {
  const parsed = parseHostPort(address.replace(/^http:\/\//, '').replace(/\/$/, ''));
  if (!parsed || parsed.host === '' || parsed.port === 0) {
    const want = 'the API of a node as host:port, such as 127.0.0.1:9090';
    throw new AltNetError('BAD_ADDRESS', { text: address, want });
  }
  return parsed;
}

export async function callForJson<T>(
  target: Target,
  call: Call,
  options?: CallOptions,
): Promise<T> {
  const body = await collect(await send(target, call, options), target, options);
  const text = parseUtf8(body);
  if (text === undefined) throw badAnswer(target, 'its answer is not text');
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw badAnswer(target, 'its answer is not JSON', error);
  }
}

export async function callForBytes(
  target: Target,
  call: Call,
  options?: CallOptions,
): Promise<Uint8Array> {
  return collect(await send(target, call, options), target, options);
}

/** Each line's value, as it arrives. A line with an error ends it with that error. */
export async function* callForLines<T>(
  target: Target,
  call: Call,
  options?: CallOptions,
): AsyncGenerator<T> {
  const response = await send(target, call, options, ndjsonType);
  try {
    for await (const line of readLines(response)) {
      const error = decodeError(line);
      if (error) throw error;
      yield line as T;
    }
  } catch (error) {
    throw mapFailure(error, target, options);
  } finally {
    response.destroy(); // a caller who has had enough ends the search over there, too
  }
}

/** The result of long work, whose progress is told meanwhile when the caller listens. */
export async function callForResult<T>(
  target: Target,
  call: Call,
  options: CallOptions = {},
): Promise<T> {
  const { onProgress } = options;
  if (!onProgress) return callForJson<T>(target, call, options);
  type Line = { progress?: Parameters<typeof onProgress>[0]; result?: T };
  for await (const line of callForLines<Line>(target, call, options)) {
    if (line.progress) onProgress(line.progress);
    if (line.result !== undefined) return line.result;
  }
  throw badAnswer(target, 'the node was stopped');
}

/** The answer's head has come and says success; its body is yet to be read. */
async function send(
  target: Target,
  call: Call,
  { signal }: CallOptions = {},
  accept = 'application/json',
): Promise<IncomingMessage> {
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const body = call.json === undefined ? call.octets : JSON.stringify(call.json);
  const { tar } = call;
  const request = httpRequest(
    {
      host: target.host,
      port: target.port,
      method: call.method,
      path: call.path,
      agent: false,
      ...(signal && { signal }),
      headers: {
        accept,
        authorization: `Bearer ${target.token}`,
        ...(body !== undefined && {
          'content-type': call.json === undefined ? 'application/octet-stream' : 'application/json',
          'content-length': Buffer.byteLength(body),
        }),
        ...(tar && { 'content-type': tarType }),
      },
    },
    resolve,
  );
  request.on('error', (error) => reject(mapFailure(error, target, { signal })));
  if (tar) feed(request, tar, reject);
  else request.end(body);
  const response = await promise;
  const status = response.statusCode ?? 0;
  if (status >= 200 && status < 300) return response;
  throw await errorOf(response, target, { signal });
}

/** `onFailure` hears why the body could not be read; what breaks the request is told by that. */
function feed(
  request: ClientRequest,
  body: AsyncIterable<Uint8Array>,
  onFailure: (error: unknown) => void,
): void {
  const source = Readable.from(body, { objectMode: false });
  source.once('error', (error) => {
    onFailure(error);
    request.destroy();
  });
  // A node that has answered takes no more of it.
  request.once('close', () => source.destroy());
  source.pipe(request);
}

async function errorOf(
  response: IncomingMessage,
  target: Target,
  options: CallOptions,
): Promise<Error> {
  const text = parseUtf8(await collect(response, target, options)) ?? '';
  const foreign = badAnswer(target, `it answered with status ${response.statusCode}`);
  try {
    return decodeError(JSON.parse(text)) ?? foreign;
  } catch {
    return foreign;
  }
}

async function collect(
  response: IncomingMessage,
  target: Target,
  options?: CallOptions,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []; // BOUNDED by answerBytesMax
  let bytes = 0;
  try {
    for await (const chunk of response as AsyncIterable<Uint8Array>) {
      bytes += chunk.length;
      if (bytes > answerBytesMax) throw badAnswer(target, 'its answer is too long');
      chunks.push(chunk);
    }
  } catch (error) {
    throw mapFailure(error, target, options);
  }
  return concatBytes(...chunks);
}

function mapFailure(error: unknown, target: Target, options?: CallOptions): Error {
  if (options?.signal?.aborted) return abortReason(options.signal);
  if (error instanceof AltNetError) return error;
  const why = systemCode(error) ?? String(error);
  const atConnect = error instanceof Error && 'syscall' in error && error.syscall === 'connect';
  if (atConnect || why === 'ENOTFOUND' || why === 'EAI_AGAIN') {
    const address = `${target.host}:${target.port}`;
    return new AltNetError('NO_NODE', { why: `${address}: ${why}` }, { cause: error });
  }
  // It ends its connections when it ends, and at no other time.
  const isGone = why === 'ECONNRESET' || why === 'EPIPE' || why === 'ERR_STREAM_PREMATURE_CLOSE';
  return badAnswer(
    target,
    isGone ? 'the node was stopped' : `the connection broke (${why})`,
    error,
  );
}

function badAnswer({ host, port }: Target, why: string, cause?: unknown): AltNetError {
  return new AltNetError('UNREACHABLE', { what: `the node at ${host}:${port}`, why }, { cause });
}
