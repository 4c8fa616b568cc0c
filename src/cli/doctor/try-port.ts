/** Whether a port is free, found out by taking it for a moment. */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import type { HostPort } from '../../base/address.ts';
import { systemCode } from '../../base/errors.ts';

/** 'free', or the system's code: EADDRINUSE, EACCES, EADDRNOTAVAIL … Never rejects. */
export function tryPort(protocol: 'udp' | 'tcp', at: HostPort): Promise<string> {
  return protocol === 'udp' ? tryUdp(at) : tryTcp(at);
}

function tryTcp({ host, port }: HostPort): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const server = createServer((socket) => socket.destroy());
  server.once('error', (error) => resolve(systemCode(error) ?? 'unknown'));
  server.listen({ host, port, exclusive: true }, () => server.close(() => resolve('free')));
  return promise;
}

function tryUdp({ host, port }: HostPort): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  socket.once('error', (error) => {
    socket.close();
    resolve(systemCode(error) ?? 'unknown');
  });
  socket.bind({ address: host, port, exclusive: true }, () => {
    socket.close(() => resolve('free'));
  });
  return promise;
}
