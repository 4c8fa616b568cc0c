/**
 * The far end of src/nat on loopback: a router that speaks NAT-PMP, and one that answers UPnP's SOAP,
 * each with as little truth in it as a test wants. Real ones are asked in test/integration.
 */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { atEnd, type Ending } from './cleanup.ts';

/** Answers each datagram with what `answer` makes of it, one datagram each; the port. */
export async function natPmpGateway(
  t: Ending,
  answer: (request: Uint8Array) => readonly Uint8Array[],
): Promise<number> {
  const socket = createSocket('udp4');
  socket.on('message', (request, { address, port }) => {
    for (const bytes of answer(request)) socket.send(bytes, port, address);
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.bind(0, '127.0.0.1', resolve);
  await promise;
  atEnd(t, () => socket.close());
  return socket.address().port;
}

export interface SoapAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent one after the other. */
  readonly parts: readonly string[];
}

/** Answers each POST; its base URL. */
export async function soapGateway(
  t: Ending,
  answer: (action: string, body: string) => SoapAnswer,
): Promise<URL> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []; // BOUNDED by what the test sends
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const action = /#(\w+)"$/.exec(String(request.headers['soapaction']))?.[1] ?? request.url;
      const said = answer(action ?? '', Buffer.concat(chunks).toString());
      response.writeHead(said.status ?? 200, { 'Content-Type': 'text/xml', ...said.headers });
      for (const part of said.parts) response.write(part);
      response.end();
    });
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  atEnd(t, () => {
    server.closeAllConnections();
    server.close();
  });
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
}
