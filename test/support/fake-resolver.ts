/**
 * A resolver on loopback that does what a test says: UDP and TCP on one port, real sockets. It
 * answers, truncates, lies, is slow, or is silent.
 */
import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { type Answer, decode, encode, type Packet } from 'dns-packet';
import { encodeFrame, FrameReader } from '../../src/dns/frames.ts';
import { atEnd, type Ending } from './cleanup.ts';

export interface SeenQuery {
  readonly name: string;
  readonly type: string;
  readonly id: number;
  readonly transport: 'udp' | 'tcp';
  readonly fromPort: number;
  readonly hasOpt: boolean;
  readonly octets: Buffer;
}

/** Sends more than the one answer that the resolver gives by itself. */
export interface Ways {
  /** By the socket that the question came to. */
  readonly send: (message: Uint8Array) => void;
  /** By another socket. */
  readonly sendFromElsewhere: (message: Uint8Array) => Promise<void>;
}

/** What to answer; undefined: nothing. */
export type Behaviour = (
  query: SeenQuery,
  ways: Ways,
) => Uint8Array | undefined | Promise<Uint8Array | undefined>;

export interface FakeResolver {
  readonly address: { readonly host: string; readonly port: number };
  /** All that came, in order, but for questions that look whether it asks back. */
  readonly seen: readonly SeenQuery[];
  behaviour: Behaviour;
  stop(): Promise<void>;
}

export interface ReplyParts {
  readonly answers?: readonly Answer[];
  readonly authorities?: readonly Answer[];
  readonly additionals?: readonly Answer[];
  readonly rcode?: number;
  readonly isTruncated?: boolean;
  readonly id?: number;
}

/** An answer to that question. */
export function replyTo(query: Pick<SeenQuery, 'octets'>, parts: ReplyParts = {}): Buffer {
  const { questions = [], id } = decode(query.octets);
  const {
    answers = [],
    authorities = [],
    additionals = [],
    rcode = 0,
    isTruncated = false,
  } = parts;
  const packet: Packet = {
    type: 'response',
    id: parts.id ?? id ?? 0,
    flags: 0x0180 | rcode | (isTruncated ? 0x0200 : 0),
    questions,
    answers: [...answers],
    authorities: [...authorities],
    additionals: [...additionals],
  };
  return encode(packet);
}

export const addressOf = (name: string, data: string, ttl = 300): Answer => {
  return { type: 'A', class: 'IN', name, ttl, data };
};

export async function startFakeResolver(t: Ending, behaviour: Behaviour): Promise<FakeResolver> {
  const server = createServer();
  const sockets = new Set<Socket>(); // BOUNDED by the test
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const udp = createSocket('udp4');
  udp.bind(port, '127.0.0.1');
  await once(udp, 'listening');
  const seen: SeenQuery[] = [];
  const fake: FakeResolver = {
    address: { host: '127.0.0.1', port },
    seen,
    behaviour,
    stop: stopOnce(server, udp, sockets),
  };
  const answer = (octets: Buffer, from: Pick<SeenQuery, 'transport' | 'fromPort'>, ways: Ways) => {
    const { questions = [], additionals = [], id = 0 } = decode(octets);
    const [question] = questions;
    const { name, type } = question ?? { name: '', type: '' };
    const hasOpt = additionals.some((one) => one.type === 'OPT');
    const query = { name, type, id, hasOpt, octets, ...from };
    if (type !== 'TXT' || !name.endsWith('.test')) seen.push(query);
    return fake.behaviour(query, ways);
  };
  serveUdp(udp, answer);
  serveTcp(server, { sockets, answer });
  atEnd(t, () => fake.stop());
  return fake;
}

type Answering = (
  octets: Buffer,
  from: Pick<SeenQuery, 'transport' | 'fromPort'>,
  ways: Ways,
) => ReturnType<Behaviour>;

function serveUdp(udp: UdpSocket, answer: Answering): void {
  udp.on('message', (octets, from) => {
    const ways: Ways = {
      send: (message) => udp.send(message, from.port, from.address),
      sendFromElsewhere: (message) => sendFromElsewhere(message, from),
    };
    const origin = { transport: 'udp', fromPort: from.port } as const;
    void Promise.resolve(answer(octets, origin, ways)).then((reply) => reply && ways.send(reply));
  });
}

async function sendFromElsewhere(message: Uint8Array, to: RemoteInfo): Promise<void> {
  const other = createSocket('udp4');
  await new Promise((resolve) => other.send(message, to.port, to.address, resolve));
  other.close();
}

function serveTcp(
  server: Server,
  { sockets, answer }: { readonly sockets: Set<Socket>; readonly answer: Answering },
): void {
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    const frames = new FrameReader(65_535);
    const send = (message: Uint8Array): void => void socket.write(encodeFrame(message));
    const ways: Ways = { send, sendFromElsewhere: () => Promise.resolve() };
    socket.on('data', (piece: Buffer) => {
      for (const message of frames.push(piece)) {
        const origin = { transport: 'tcp', fromPort: socket.remotePort ?? 0 } as const;
        const octets = Buffer.from(message);
        void Promise.resolve(answer(octets, origin, ways)).then((reply) => reply && send(reply));
      }
    });
  });
}

function stopOnce(
  server: Server,
  udp: UdpSocket,
  sockets: ReadonlySet<Socket>,
): () => Promise<void> {
  let stopped: Promise<void> | undefined;
  return () => {
    stopped ??= (async () => {
      for (const socket of sockets) socket.destroy();
      await Promise.all([
        new Promise((resolve) => server.close(resolve)),
        new Promise<void>((resolve) => udp.close(resolve)),
      ]);
    })();
    return stopped;
  };
}
