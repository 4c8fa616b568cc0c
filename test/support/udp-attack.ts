/**
 * What an attacker of rpc can make: INITs of its own, sealed or only with a valid mac1, sent from
 * any loopback address. A loopback address other than 127.0.0.1 stands for a spoofed one.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Bytes, concatBytes } from '../../src/base/bytes.ts';
import { hmacSha256, sha256 } from '../../src/base/hash.ts';
import { nodeCrypto } from '../../src/noise/node-crypto.ts';
import { mac1KeyOf, ownKeysOf, Peers } from '../../src/rpc/peers.ts';
import { Sealing, type SealedRequest } from '../../src/rpc/sealing.ts';
import { isFailure } from '../../src/wire/failure.ts';
import { decodeResp, encodeInit, mac1Parts, setMac1 } from '../../src/wire/packets.ts';
import { decodeReplyPayload, type ReplyPayload } from '../../src/wire/replies.ts';
import { localNetwork, testKey, type TestNode } from './udp.ts';

export interface Sealer {
  readonly sealing: Sealing;
  readonly peers: Peers;
  /** A request to a node around a payload, with a txid that says which one it is. */
  readonly seal: (to: TestNode, payload: Bytes, n?: number) => SealedRequest;
}

/** The sealing of a node with the key `testKey(n)`. */
export function sealerOf(n: number): Sealer {
  const own = ownKeysOf(testKey(n));
  const peers = new Peers(nodeCrypto, own.s);
  const sealing = new Sealing(nodeCrypto, { networkId: localNetwork, own, peers });
  const seal = (to: TestNode, payload: Bytes, txid = 0): SealedRequest => {
    const responder = peers.responder(to.key.publicKey);
    const sealed = responder && sealing.seal(responder, { txid: octetsOf(txid, 8), payload });
    if (!sealed) throw new Error('a test key is usable');
    return sealed;
  };
  return { sealing, peers, seal };
}

/** Flags of a request: the sender says that it is a server, the sign of its key, wants IPv4. */
export const flags = { server: 1, xSign: 2, wantV4: 4 } as const;

/** A request payload of at least `payloadBytes`. */
export function payloadOf(
  method: number,
  {
    body = new Uint8Array(0),
    token,
    flag = flags.wantV4,
    payloadBytes = 0,
  }: { body?: Bytes; token?: Bytes; flag?: number; payloadBytes?: number } = {},
): Bytes {
  const head = new Uint8Array(24);
  head.set([method, flag, body.length >> 8, body.length & 255]);
  if (token) head.set(token, 16);
  const padding = new Uint8Array(Math.max(0, payloadBytes - head.length - body.length));
  return concatBytes(head, body, padding);
}

/** The n-th INIT that costs its sender two hashes and, without a cookie, its receiver a DH. */
export function forgedInit(n: number, to: TestNode): Bytes {
  const parts = [0, 1, 2, 3].map((i) => sha256(octetsOf(n, 8), Uint8Array.of(i)));
  const message1 = concatBytes(...parts).subarray(0, 120);
  message1[31] = (message1[31] ?? 0) & 0x3f; // a canonical key, so that it gets to the DH
  const init = encodeInit({ txid: octetsOf(n, 8), message1 });
  const mac1 = hmacSha256(mac1KeyOf(to.key.publicKey), ...mac1Parts(init)).subarray(0, 16);
  setMac1(init, mac1);
  return init;
}

/** Sends an INIT and opens the RESP that comes back; undefined when the sealer cannot. */
export async function exchange(
  { to, from }: { to: TestNode; from: Socket },
  sealed: SealedRequest,
): Promise<ReplyPayload | undefined> {
  const answered = once(from, 'message') as Promise<[Buffer]>;
  from.send(sealed.init, to.contact.endpoint.port, '127.0.0.1');
  const [datagram] = await answered;
  const resp = decodeResp(new Uint8Array(datagram));
  const payload = isFailure(resp) ? undefined : sealed.open(resp.message2);
  const read = payload && decodeReplyPayload(payload);
  return read === undefined || isFailure(read) ? undefined : read;
}

function octetsOf(n: number, length: number): Bytes {
  const bytes = new Uint8Array(length);
  new DataView(bytes.buffer).setUint32(0, n);
  return bytes;
}

/** Sockets on `127.OCTET.0.1` and so on, one address each, that close with the test. */
export async function sourcesAt(
  t: TestContext,
  { octet, count }: { octet: number; count: number },
): Promise<Socket[]> {
  const sockets: Socket[] = [];
  for (let i = 0; i < count; i++) {
    const socket = createSocket({ type: 'udp4' });
    t.after(() => socket.close());
    socket.bind(0, `127.${octet}.${i >> 7}.${(i & 127) + 1}`);
    await once(socket, 'listening');
    sockets.push(socket);
  }
  return sockets;
}

/** Fewer than fit the receiver's buffer, so that none is lost on the way. */
const batchMax = 128;

/**
 * Sends `count` datagrams to a node from the sources in turn. After each batch it waits until the
 * node has counted all of them under the names of `where`, so that every one is accounted for.
 */
export async function flood(
  { to, from, where }: { to: TestNode; from: readonly Socket[]; where: readonly string[] },
  count: number,
  datagramAt: (n: number) => Bytes,
): Promise<void> {
  const seen = (): number => {
    const counters = to.transport.counters();
    return where.reduce((sum, name) => sum + (counters[name] ?? 0), 0);
  };
  const before = seen();
  const { port } = to.contact.endpoint;
  for (let sent = 0; sent < count;) {
    for (const end = Math.min(count, sent + batchMax); sent < end; sent++) {
      from[sent % from.length]?.send(datagramAt(sent), port, '127.0.0.1');
    }
    while (seen() < before + sent) await nextTurn();
  }
}
