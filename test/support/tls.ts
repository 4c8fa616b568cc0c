/** TLS servers and clients of tests, on loopback. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { connect, createServer, type SecureContext, type TlsOptions } from 'node:tls';
import { atEnd } from './cleanup.ts';

/** Shows the same to everybody who names a host, whatever it is. */
export function showing(context: SecureContext): TlsOptions {
  return { SNICallback: (_, done) => done(null, context) };
}

/** The port of a server that gives the same answer to everybody. */
export async function serveTls(
  t: TestContext,
  options: TlsOptions,
  answer: string = '',
): Promise<number> {
  const server = createServer(options, (socket) => {
    socket.on('error', () => undefined);
    socket.end(answer);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(t, () => server.close());
  return (server.address() as AddressInfo).port;
}

/** "believed", or the code of why Node.js breaks the connection off. */
export async function connectAs(
  servername: string,
  { port, ca }: { readonly port: number; readonly ca: string },
): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', servername, ca });
  const { promise, resolve } = Promise.withResolvers<string>();
  socket.once('secureConnect', () => resolve('believed'));
  socket.once('error', (error: Error & { code?: string }) => resolve(error.code ?? error.message));
  const said = await promise;
  socket.destroy();
  return said;
}
