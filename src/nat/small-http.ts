/**
 * One HTTP exchange with a router: no redirects, no compression, no more than so many octets, no
 * longer than so long, and nobody but the router. It knows nothing of what is said.
 */
import { request as httpRequest } from 'node:http';
import { isAtRouter } from './url.ts';

export interface SmallRequest {
  /** Must name `gateway` as its host. */
  readonly url: URL;
  readonly gateway: string;
  readonly method: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal | undefined;
}

export interface SmallAnswer {
  readonly status: number;
  readonly text: string;
}

const bytesMax = 128 * 1024;
const exchangeMs = 4000;

/** Rejects when anything is not as it must be. */
export async function exchange(wanted: SmallRequest): Promise<SmallAnswer> {
  const { url, gateway, method, headers = {}, body = '', signal } = wanted;
  if (!isAtRouter(url, gateway)) throw new Error('the address is not one of the router');
  const { promise, resolve, reject } = Promise.withResolvers<SmallAnswer>();
  const until = AbortSignal.any([AbortSignal.timeout(exchangeMs), ...(signal ? [signal] : [])]);
  const outgoing = httpRequest({
    host: gateway,
    port: url.port === '' ? 80 : Number(url.port),
    path: `${url.pathname}${url.search}`,
    method,
    headers: { ...headers, Connection: 'close', 'Content-Length': Buffer.byteLength(body) },
    agent: false,
    signal: until,
  });
  outgoing.on('error', reject);
  outgoing.on('response', (incoming) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    incoming.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > bytesMax) outgoing.destroy(new Error('the answer is too long'));
      else chunks.push(chunk);
    });
    incoming.on('error', reject);
    incoming.on('end', () => {
      const text = Buffer.concat(chunks).toString('utf8');
      resolve({ status: incoming.statusCode ?? 0, text });
    });
  });
  outgoing.end(body);
  return promise;
}
