/** DNS servers of tests: they give every name one address, and remember what they were asked. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import * as dnsPacket from 'dns-packet';
import { atEnd, type Ending } from './cleanup.ts';

export interface AnsweringServer {
  /** host:port. */
  readonly address: string;
  /** "A example.com", in order. */
  readonly asked: string[];
}

export interface AnsweringOptions {
  /** IPv4: where it listens. */
  readonly host?: string;
  /** 0: any. */
  readonly port?: number;
  /** IPv4: what it answers. */
  readonly ip?: string;
}

export async function startAnswering(
  t: Ending,
  { host = '127.0.0.1', port = 0, ip = '127.0.0.1' }: AnsweringOptions = {},
): Promise<AnsweringServer> {
  const socket = createSocket('udp4');
  const asked: string[] = [];
  socket.on('message', (message, from) => {
    const { id = 0, questions = [] } = dnsPacket.decode(message);
    const [question] = questions;
    if (!question) return;
    const { name, type } = question;
    asked.push(`${type} ${name}`);
    const answers = type === 'A' ? [{ type: 'A' as const, name, ttl: 1, data: ip }] : [];
    // Authoritative, and with recursion: resolvers of any kind are content with it.
    const answer = { type: 'response' as const, id, flags: 0x0580, questions, answers };
    socket.send(dnsPacket.encode(answer), from.port, from.address);
  });
  socket.bind(port, host);
  await once(socket, 'listening');
  atEnd(t, () => void socket.close());
  return { address: `${host}:${socket.address().port}`, asked };
}
