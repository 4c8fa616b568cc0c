/**
 * Downloads a file by http or https from wherever a stranger's link points to. Everything about it
 * is hostile: the address may be one of this machine or of the network around it, the answer may
 * never end, redirects may go in circles.
 */
import { createHash } from 'node:crypto';
import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import { type FileHandle, open } from 'node:fs/promises';
import { type IncomingMessage, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseIp, scopeOf } from '../../base/address.ts';
import { abortReason } from '../../base/abort.ts';
import { AltNetError, systemCode } from '../../base/errors.ts';
import { writeFailure } from './draft-file.ts';

export interface DownloadOptions {
  /** More is refused, before it is written. */
  readonly bytesMax: number;
  /** Whether addresses of this machine and of private networks may be asked. */
  readonly allowPrivate: boolean;
  readonly signal: AbortSignal;
  readonly onBytes?: ((bytes: number, bytesTotal: number | undefined) => void) | undefined;
}

export interface Downloaded {
  readonly bytes: number;
  /** 64 hex digits. */
  readonly sha256: string;
}

const redirectsMax = 5;
/** Until the head of an answer is there, and between two pieces of its body. */
const silenceMs = 30_000;
/** Long enough for a gigabyte on a slow line. */
const totalMs = 3_600_000;

/**
 * Writes what is at `url` to `file`, which must not exist. Rejects with DOWNLOAD_FAILED, DISK_FULL,
 * PATH_UNSUPPORTED or the signal's reason; what was written stays for the caller to remove.
 */
export async function download(
  url: string,
  file: string,
  options: DownloadOptions,
): Promise<Downloaded> {
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(totalMs)]);
  try {
    const response = await follow(url, { ...options, signal });
    return await save(response, file, { ...options, signal });
  } catch (error) {
    if (options.signal.aborted) throw abortReason(options.signal);
    if (error instanceof AltNetError) throw error;
    throw failed(url, signal.aborted ? 'it took more than an hour' : reasonOf(error), error);
  }
}

/** The answer with the file: after at most `redirectsMax` others that point elsewhere. */
async function follow(start: string, options: DownloadOptions): Promise<IncomingMessage> {
  let url = new URL(start);
  for (let redirects = 0; redirects <= redirectsMax; redirects++) {
    const flaw = flawOf(url, options);
    if (flaw !== undefined) {
      throw failed(start, redirects === 0 ? flaw : `it redirects to ${url.href}, and ${flaw}`);
    }
    const response = await ask(url, options);
    const status = response.statusCode ?? 0;
    if (status === 200) return response;
    response.destroy();
    const { location } = response.headers;
    if (![301, 302, 303, 307, 308].includes(status) || location === undefined) {
      throw failed(start, `the server answered with status ${status}`);
    }
    const next = URL.parse(location, url.href);
    if (!next) throw failed(start, 'it redirects to something that is no address');
    url = next;
  }
  throw failed(start, `it redirects more than ${redirectsMax} times`);
}

/** Why an address is not asked at all. */
function flawOf(url: URL, { allowPrivate }: DownloadOptions): string | undefined {
  const { protocol, hostname, username, password } = url;
  if (protocol !== 'http:' && protocol !== 'https:') return `${protocol} is not asked`;
  if (username !== '' || password !== '') return 'it contains a user name';
  if (/(^|\.)alt\.?$/.test(hostname)) return 'names under .alt are none of the DNS';
  const host = hostname.replace(/^\[|\]$/g, '');
  return allowPrivate || isIP(host) === 0 || isPublic(host) ? undefined : notPublic;
}

async function ask(url: URL, options: DownloadOptions): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const send = url.protocol === 'http:' ? httpRequest : httpsRequest;
  const request = send(
    url,
    {
      agent: false,
      signal: options.signal,
      lookup: options.allowPrivate ? systemLookup : lookupPublic,
      timeout: silenceMs,
      headers: { 'user-agent': 'altnet', accept: '*/*', 'accept-encoding': 'identity' },
    },
    resolve,
  );
  request.on('timeout', () => request.destroy(new Error(`nothing came for ${silenceMs / 1000} s`)));
  request.on('error', reject);
  request.end();
  return promise;
}

const notPublic =
  'its address is one of this machine or of a private network; --allow-private lets it through';

function isPublic(address: string): boolean {
  const ip = parseIp(address);
  if (ip === undefined || scopeOf(ip) !== 'global') return false;
  // 192.0.0/24 is set aside for protocols: what answers there is near.
  return !(ip.length === 4 && ip[0] === 192 && ip[1] === 0 && ip[2] === 0);
}

/**
 * The addresses of a host that are of the Internet. Judged where the connection is made: a name
 * that was looked up twice could have changed in between.
 */
const lookupPublic: LookupFunction = (hostname, options, callback) => {
  systemLookup(hostname, { ...options, all: true }, (error, found: LookupAddress[]) => {
    const usable = error ? [] : found.filter(({ address }) => isPublic(address));
    const [first] = usable;
    if (error) callback(error, '');
    else if (!first) callback(new Error(notPublic), '');
    else if (options.all === true) callback(null, usable);
    else callback(null, first.address, first.family);
  });
};

async function save(
  response: IncomingMessage,
  file: string,
  { bytesMax, onBytes, signal }: DownloadOptions,
): Promise<Downloaded> {
  const announced = Number(response.headers['content-length'] ?? Number.NaN);
  const tooBig = new Error(`it has more than ${bytesMax} bytes; --max-bytes allows more`);
  if (announced > bytesMax) {
    response.destroy();
    throw tooBig;
  }
  const hash = createHash('sha256');
  let bytes = 0;
  const counting = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > bytesMax) return done(tooBig);
      hash.update(chunk);
      onBytes?.(bytes, Number.isNaN(announced) ? undefined : announced);
      return done(null, chunk);
    },
  });
  const place = await open(file, 'wx').catch((error: unknown) => {
    response.destroy();
    throw writeFailure(file, error);
  });
  try {
    await pipeline(
      response,
      counting,
      (chunks: AsyncIterable<Buffer>) => writeAll(chunks, place, file),
      { signal },
    );
  } finally {
    await place.close();
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** Fails in words about the disk: those of a broken connection would blame the link. */
async function writeAll(
  chunks: AsyncIterable<Buffer>,
  place: FileHandle,
  file: string,
): Promise<void> {
  for await (const chunk of chunks) {
    try {
      await place.writeFile(chunk); // goes on where the last one ended
    } catch (error) {
      throw writeFailure(file, error);
    }
  }
}

function reasonOf(error: unknown): string {
  const code = systemCode(error);
  if (code === 'ECONNREFUSED') return 'nobody listens there';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'the host name is not known';
  if (code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE') return 'the connection broke';
  if (code === 'ETIMEDOUT') return 'no answer came';
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH') return 'no way leads there from here';
  if (code === 'EPROTO') return 'the server speaks no TLS that this program knows';
  if (code?.startsWith('HPE_') === true) return 'the server does not speak HTTP';
  if (code !== undefined && /CERT|ALTNAME|LEAF_SIGNATURE/.test(code)) {
    return `its certificate does not hold (${code})`;
  }
  return code ?? (error instanceof Error ? error.message : String(error));
}

function failed(url: string, why: string, cause?: unknown): AltNetError<'DOWNLOAD_FAILED'> {
  return new AltNetError('DOWNLOAD_FAILED', { url, why }, { cause });
}
