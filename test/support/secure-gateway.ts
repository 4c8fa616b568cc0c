/** A gateway with HTTPS and an authority of its own, and clients that believe it. */
import { once } from 'node:events';
import {
  connect as connectHttp2,
  type ClientHttp2Session,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { connect, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { systemWorld } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { CertificateAuthority } from '../../src/ca/authority.ts';
import { Gateway, type GatewayDeps, type GatewayOptions } from '../../src/gateway/gateway.ts';
import { atEnd, temporaryFolder } from './cleanup.ts';
import { type Reply, tree } from './gateway.ts';
import { MemoryNames, MemorySites } from './memory-sites.ts';

export interface SecureGateway {
  readonly gateway: Gateway;
  readonly sites: MemorySites;
  readonly names: MemoryNames;
  readonly authority: CertificateAuthority;
  readonly port: number;
  readonly securePort: number;
}

/** "alice" shows the small site, "gone" is nobody's. */
export async function runSecureGateway(
  t: TestContext,
  {
    deps = {},
    ...options
  }: Partial<GatewayOptions> & { readonly deps?: Partial<GatewayDeps> } = {},
): Promise<SecureGateway> {
  const { tld = 'alt' } = options;
  const sites = new MemorySites();
  const names = new MemoryNames();
  names.set('alice', { state: 'ok', root: sites.add(tree) });
  const authority = await CertificateAuthority.open(temporaryFolder(t), {
    tld,
    world: systemWorld,
  });
  const gateway = new Gateway(
    {
      names,
      sites,
      log: silentLogger,
      world: systemWorld,
      findCertificates: () => Promise.resolve(authority),
      ...deps,
    },
    { host: '127.0.0.1', port: 0, stopGraceMs: 20, ...options },
  );
  atEnd(t, () => gateway.stop());
  await gateway.start();
  await gateway.startSecure({ host: '127.0.0.1', port: 0 }, authority);
  const [{ port }, { port: securePort }] = [gateway.address(), gateway.secureAddress()];
  return { gateway, sites, names, authority, port, securePort };
}

export interface SecureTarget {
  readonly port: number;
  readonly ca: string;
  /** The name in the handshake; undefined: none. */
  readonly servername?: string | undefined;
  readonly protocols?: readonly string[];
}

/** Rejects when the handshake fails. */
export async function secureSocket(
  t: TestContext,
  { port, ca, servername, protocols = ['http/1.1'] }: SecureTarget,
  through?: Socket,
): Promise<TLSSocket> {
  const socket = connectTls({
    ...(through ? { socket: through } : { port, host: '127.0.0.1' }),
    ca,
    servername: servername ?? '',
    ALPNProtocols: [...protocols],
    ...(servername === undefined && { checkServerIdentity: () => undefined }),
  });
  atEnd(t, () => socket.destroy());
  await once(socket, 'secureConnect');
  socket.on('error', () => undefined);
  return socket;
}

/** Sends text as it is and gives all that comes back until the connection ends. */
export async function exchange(socket: Socket, text: string): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk)).resume();
  socket.write(text);
  if (!socket.closed) await once(socket, 'close');
  return Buffer.concat(chunks).toString('latin1');
}

/** An HTTP/2 session with a site. */
export async function http2Session(
  t: TestContext,
  target: SecureTarget,
  through?: Socket,
): Promise<ClientHttp2Session> {
  const socket = await secureSocket(t, { ...target, protocols: ['h2'] }, through);
  const session = connectHttp2(`https://${target.servername ?? 'localhost'}`, {
    createConnection: () => socket,
  });
  session.on('error', () => undefined);
  atEnd(t, () => session.destroy());
  return session;
}

/** Rejects when the stream is broken off. */
export async function http2Ask(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders,
  body?: string | Buffer,
): Promise<Reply> {
  const stream = session.request(headers, { endStream: body === undefined });
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  const { promise, resolve, reject } = Promise.withResolvers<Reply>();
  stream.once('error', reject);
  stream.once('response', (answer) => {
    stream.once('end', () => {
      const bytes = Buffer.concat(chunks);
      const status = Number(answer[':status']);
      resolve({ status, headers: answer, text: bytes.toString(), bytes });
    });
  });
  stream.once('close', () => reject(new Error(`closed with ${stream.rstCode}`)));
  if (body !== undefined) stream.end(body);
  return promise;
}

/** The first answer on a new connection to a proxy, and the connection, to go on with. */
export async function openTunnel(
  t: TestContext,
  port: number,
  text: string,
): Promise<{ readonly head: string; readonly socket: Socket }> {
  const socket = connect(port, '127.0.0.1');
  atEnd(t, () => socket.destroy());
  socket.on('error', () => undefined);
  socket.write(text);
  let head = '';
  while (!head.includes('\r\n\r\n')) {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    head += chunk.toString('latin1');
  }
  socket.pause();
  return { head, socket };
}
