/** Transports and relays on loopback for tests of rpc over real sockets. */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import type { Endpoint } from '../../src/base/address.ts';
import type { Bytes } from '../../src/base/bytes.ts';
import { systemWorld } from '../../src/base/clock.ts';
import { sha256 } from '../../src/base/hash.ts';
import { silentLogger } from '../../src/base/logger.ts';
import type {
  AnnounceReply,
  AnnounceRequest,
  FindReply,
  FindRequest,
  GetReply,
  LeaveReply,
  LeaveRequest,
  GetRequest,
  PingReply,
  PingRequest,
  ReachReply,
  ReachRequest,
  Request,
  Requester,
  RequestHandler,
  StoreReply,
  StoreRequest,
  SyncReply,
  SyncRequest,
} from '../../src/dht/ports.ts';
import { type Contact, contactOf } from '../../src/identity/contact.ts';
import { SigningKey } from '../../src/identity/key.ts';
import { storeStatuses } from '../../src/record/kinds.ts';
import { networkId, networkProfiles } from '../../src/record/network.ts';
import {
  UdpTransport,
  type UdpTransportDeps,
  type UdpTransportOptions,
} from '../../src/rpc/transport.ts';

export const localNetwork: Bytes = networkId(networkProfiles.local);

export interface TestNode {
  readonly transport: UdpTransport;
  readonly key: SigningKey;
  readonly contact: Contact;
}

/** A node key that is the same for the same number. */
export function testKey(n: number): SigningKey {
  return new SigningKey('node', sha256(Uint8Array.of(n)));
}

/** Starts a transport that stops with the test. It listens on 127.0.0.1 unless told otherwise. */
export async function startNode(
  t: TestContext,
  {
    n,
    handler,
    host = '127.0.0.1',
    ...over
  }: { n: number; handler?: RequestHandler; host?: string } & Partial<
    UdpTransportDeps & UdpTransportOptions
  >,
): Promise<TestNode> {
  const key = over.key ?? testKey(n);
  const deps: UdpTransportDeps = {
    world: systemWorld,
    key,
    network: localNetwork,
    log: silentLogger,
    contactRecord: () => undefined,
    isServer: () => true,
    ...over,
  };
  const listen = over.listen ?? [{ host, port: 0 }];
  const { runningMax, waitingMax, dhShare, handshakesPerSecondMax } = over;
  const transport = new UdpTransport(deps, {
    listen,
    ...(runningMax === undefined ? {} : { runningMax }),
    ...(waitingMax === undefined ? {} : { waitingMax }),
    ...(dhShare === undefined ? {} : { dhShare }),
    ...(handshakesPerSecondMax === undefined ? {} : { handshakesPerSecondMax }),
  });
  t.after(() => transport.stop());
  if (handler) transport.serve(handler);
  await transport.start();
  const [endpoint] = transport.address();
  if (!endpoint) throw new Error('a started transport has an address');
  return { transport, key, contact: contactOf(key.publicKey, endpoint) };
}

export type Direction = 'to-target' | 'from-target';

/**
 * A relay in front of `target`: datagrams go through `judge`, which says how often each is passed
 * on (0 drops it). It serves one client.
 */
export async function startRelay(
  t: TestContext,
  target: Endpoint,
  judge: (direction: Direction, datagram: Bytes) => number,
): Promise<Endpoint> {
  const front = await boundSocket(t);
  const back = await boundSocket(t);
  let client: RemoteInfo | undefined;
  front.on('message', (datagram, from) => {
    client = from;
    for (let i = judge('to-target', datagram); i > 0; i--) {
      back.send(datagram, target.port, '127.0.0.1');
    }
  });
  back.on('message', (datagram) => {
    for (let i = judge('from-target', datagram); i > 0; i--) {
      if (client) front.send(datagram, client.port, client.address);
    }
  });
  return { ip: target.ip, port: front.address().port };
}

export interface Nat {
  readonly endpoint: Endpoint;
  /** Forgets the mapping: what the client sends next comes from another port. */
  readonly rebind: () => Promise<void>;
}

/** A NAT in front of one client that talks to `target`. */
export async function startNat(t: TestContext, target: Endpoint): Promise<Nat> {
  const front = await boundSocket(t);
  let client: RemoteInfo | undefined;
  const map = async (): Promise<Socket> => {
    const socket = await boundSocket(t);
    socket.on('message', (datagram) => {
      if (client) front.send(datagram, client.port, client.address);
    });
    return socket;
  };
  let back = await map();
  front.on('message', (datagram, from) => {
    client = from;
    back.send(datagram, target.port, '127.0.0.1');
  });
  return {
    endpoint: { ip: target.ip, port: front.address().port },
    async rebind() {
      back = await map();
    },
  };
}

/** A plain UDP socket on 127.0.0.1 that closes with the test. */
export async function boundSocket(t: TestContext): Promise<Socket> {
  const socket = createSocket('udp4');
  t.after(() => socket.close());
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

/** One request of every method. */
export const requests: {
  readonly ping: PingRequest;
  readonly find: FindRequest;
  readonly get: GetRequest;
  readonly store: StoreRequest;
  readonly sync: SyncRequest;
  readonly announce: AnnounceRequest;
  readonly reach: ReachRequest;
  readonly leave: LeaveRequest;
} = {
  ping: { method: 'ping' },
  find: { method: 'find', target: new Uint8Array(32).fill(9) },
  get: {
    method: 'get',
    key: new Uint8Array(32).fill(9),
    mode: 'full',
    minSeq: 5n,
    cursor: 2,
    ids: [],
  },
  store: { method: 'store', record: new Uint8Array(1000).fill(7) },
  sync: { method: 'sync', after: new Uint8Array(48).fill(9) },
  announce: { method: 'announce', record: new Uint8Array(1000).fill(7) },
  reach: { method: 'reach', nonce: new Uint8Array(16).fill(9), target: undefined },
  leave: { method: 'leave' },
};

const contacts: readonly Contact[] = Array.from({ length: 20 }, (_, i) =>
  contactOf(new Uint8Array(32).fill(i), { ip: Uint8Array.of(127, 0, 0, 1), port: 2000 + i }),
);

/** What `toyHandler` answers. */
export const replies: {
  readonly ping: PingReply;
  readonly find: FindReply;
  readonly get: GetReply;
  readonly store: StoreReply;
  readonly sync: SyncReply;
  readonly announce: AnnounceReply;
  readonly reach: ReachReply;
  readonly leave: LeaveReply;
} = {
  ping: { method: 'ping', contactRecord: undefined },
  find: { method: 'find', contacts },
  get: {
    method: 'get',
    records: [new Uint8Array(200).fill(1), new Uint8Array(100).fill(2)],
    provisional: [true, false],
    digests: [],
    next: 3,
    contacts: contacts.slice(0, 4),
  },
  store: {
    method: 'store',
    status: storeStatuses.OK,
    conflicting: undefined,
    detail: undefined,
  },
  sync: {
    method: 'sync',
    entries: [1, 2].map((n) => ({
      key: new Uint8Array(32).fill(n),
      hash: new Uint8Array(16).fill(n),
    })),
    more: true,
  },
  announce: { method: 'announce' },
  reach: { method: 'reach', accepted: true },
  leave: { method: 'leave' },
};

/** Answers every method, and remembers what it was asked. */
export function toyHandler(asked: [Requester, Request][] = []): RequestHandler {
  return (from, request) => {
    asked.push([from, request]);
    // FIND answers later, so that both ways of answering are used.
    return request.method === 'find' ? Promise.resolve(replies.find) : replies[request.method];
  };
}

/** A client in client mode, a server with the toy handler, and what the server was asked. */
export async function startPair(
  t: TestContext,
  host = '127.0.0.1',
): Promise<[TestNode, TestNode, [Requester, Request][]]> {
  const asked: [Requester, Request][] = [];
  const server = await startNode(t, {
    n: 1,
    host,
    handler: toyHandler(asked),
    contactRecord: () => new Uint8Array(300).fill(5),
  });
  const client = await startNode(t, { n: 2, host, isServer: () => false });
  return [client, server, asked];
}

/** Polls until `done`; the test runner's own limit ends a wait that would never end. */
export async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise<void>((resolve) => systemWorld.timers.after(5, resolve));
}
