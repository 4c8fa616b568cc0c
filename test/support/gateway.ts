/** A gateway on a real socket, with sites and names in memory, and clients of several manners. */
import { once } from 'node:events';
import { request as httpRequest, type OutgoingHttpHeaders } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { systemWorld } from '../../src/base/clock.ts';
import type { Denials } from '../../src/base/denial.ts';
import { silentLogger } from '../../src/base/logger.ts';
import type { ServedAnswer } from '../../src/gateway/account.ts';
import { Gateway, type GatewayOptions } from '../../src/gateway/gateway.ts';
import { atEnd } from './cleanup.ts';
import type { ManualWorld } from './manual-world.ts';
import { MemoryNames, MemorySites } from './memory-sites.ts';

export interface Reply {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly text: string;
  readonly bytes: Buffer;
}

interface Ask {
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders;
}

export interface RunningGateway {
  readonly sites: MemorySites;
  readonly names: MemoryNames;
  readonly gateway: Gateway;
  readonly port: number;
  /** What it told of answered requests. */
  readonly served: readonly ServedAnswer[];
  readonly ask: (host: string, path: string, options?: Ask) => Promise<Reply>;
}

export async function runGateway(
  t: TestContext,
  {
    world,
    denials,
    ...options
  }: Partial<GatewayOptions> & { world?: ManualWorld; denials?: Denials } = {},
): Promise<RunningGateway> {
  const sites = new MemorySites();
  const names = new MemoryNames();
  const served: ServedAnswer[] = [];
  const onServed = (answer: ServedAnswer): void => void served.push(answer);
  const deps = { names, sites, log: silentLogger, world: world ?? systemWorld, onServed, denials };
  const gateway = new Gateway(deps, { host: '127.0.0.1', port: 0, stopGraceMs: 20, ...options });
  await gateway.start();
  atEnd(t, () => gateway.stop());
  const { port } = gateway.address();
  return { sites, names, gateway, port, served, ask: clientOf(port) };
}

/** Asks the gateway at `port` for a path on a host, without asking the system where that host is. */
export function clientOf(port: number): RunningGateway['ask'] {
  return (host, path, { method = 'GET', headers = {} } = {}) => {
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    const target = { host: '127.0.0.1', port, method, path, agent: false } as const;
    const sent = { host, accept: 'text/html', ...headers };
    const request = httpRequest({ ...target, headers: sent }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const bytes = Buffer.concat(chunks);
        const status = response.statusCode ?? 0;
        resolve({ status, headers: response.headers, text: bytes.toString(), bytes });
      });
    });
    request.on('error', reject);
    request.end();
    return promise;
  };
}

/** Sends bytes as they are and gives all that comes back until the connection ends. */
export async function raw(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('error', () => undefined);
  socket.write(text);
  await once(socket, 'close');
  return Buffer.concat(chunks).toString('latin1');
}

/** Polls: for what happens on another stack of promises. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

/** A small site. */
export const tree: Record<
  'index.html' | 'style.css' | 'docs/index.html' | 'files/a b.txt' | 'files/<x>.bin',
  string
> = {
  'index.html': '<h1>front</h1>',
  'style.css': 'h1 { color: red }',
  'docs/index.html': '<h1>docs</h1>',
  'files/a b.txt': 'ä',
  'files/<x>.bin': 'x',
};

/** A client that sends one request and reads nothing until told. */
export async function stalled(
  t: TestContext,
  port: number,
  { host, path }: { host: string; path: string },
): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  atEnd(t, () => socket.destroy());
  socket.on('error', () => undefined);
  socket.pause();
  await once(socket, 'connect');
  socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  return socket;
}
