/**
 * Fuzzing of a running transport over real sockets: datagrams into what it answers, and answers to
 * what it asks. Sealed by one who knows the keys, so that the insides are reached as well.
 */
import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Endpoint } from '../../src/base/address.ts';
import { type Bytes, equalBytes } from '../../src/base/bytes.ts';
import { systemWorld } from '../../src/base/clock.ts';
import { isAltNetError } from '../../src/base/errors.ts';
import { hmacSha256, sha256 } from '../../src/base/hash.ts';
import { silentLogger } from '../../src/base/logger.ts';
import type { RequestHandler } from '../../src/dht/ports.ts';
import { contactOf } from '../../src/identity/contact.ts';
import { SigningKey } from '../../src/identity/key.ts';
import { nodeCrypto } from '../../src/noise/node-crypto.ts';
import { networkId, networkProfiles } from '../../src/record/network.ts';
import { mac1KeyOf, ownKeysOf, Peers } from '../../src/rpc/peers.ts';
import { Sealing } from '../../src/rpc/sealing.ts';
import { UdpTransport } from '../../src/rpc/transport.ts';
import { isFailure } from '../../src/wire/failure.ts';
import {
  decodeInit,
  encodeCookie,
  encodeHead,
  encodeResp,
  headBytes,
  mac1Parts,
  packetTypes,
  setMac1,
} from '../../src/wire/packets.ts';
import type { Dice } from './dice.ts';
import {
  packetSamples,
  replyPayloads,
  requestPayloads,
  sampleReplies,
  sampleRequests,
} from './messages.ts';
import { mutateOctets } from './octets.ts';

const network = networkId(networkProfiles.local);
const host = '127.0.0.1';

function keyOf(n: number): SigningKey {
  return new SigningKey('node', sha256(Uint8Array.of(n)));
}

async function startTransport(key: SigningKey): Promise<[UdpTransport, Endpoint]> {
  const transport = new UdpTransport(
    {
      world: systemWorld,
      key,
      network,
      log: silentLogger,
      contactRecord: () => undefined,
      isServer: () => true,
    },
    { listen: [{ host, port: 0 }] },
  );
  await transport.start();
  const [endpoint] = transport.address();
  assert.ok(endpoint);
  return [transport, endpoint];
}

async function openSocket(): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(0, host);
  await once(socket, 'listening');
  return socket;
}

function sealingOf(key: SigningKey): { sealing: Sealing; peers: Peers } {
  const own = ownKeysOf(key);
  const peers = new Peers(nodeCrypto, own.s);
  return { peers, sealing: new Sealing(nodeCrypto, { networkId: network, own, peers }) };
}

/** Answers by the method asked for, as a node would. */
const handler: RequestHandler = (_, { method }) =>
  sampleReplies.find((reply) => reply.method === method);

/** Nothing that a peer sent was met by an exception, and the handler did not fail. */
function assertUnharmed(transport: UdpTransport): void {
  const counters = transport.counters();
  assert.equal(counters['packet.failed'], undefined, 'a datagram was met by an exception');
  assert.equal(counters['request.handler-failed'], undefined, 'a request could not be handled');
}

/** A few at a time, so that no buffer of the system overflows. */
const batchMax = 64;

/** Sends `runs` datagrams to a transport. What happened to them, by name. */
export async function fuzzAnswering(
  dice: Dice,
  runs: number,
): Promise<Readonly<Record<string, number>>> {
  const key = keyOf(1);
  const [server, { port }] = await startTransport(key);
  const socket = await openSocket();
  const forge = forger(key, dice);
  let unknown = 0;
  try {
    server.serve(handler);
    for (let sent = 0; sent < runs;) {
      for (const end = Math.min(runs, sent + batchMax); sent < end; sent++) {
        const datagram = forge();
        if (!knownTypes.has(datagram[0] ?? 0)) unknown += 1;
        socket.send(datagram, port, host);
      }
      // The last of a batch has a type that nobody knows: once it is counted, all were received.
      socket.send(Uint8Array.of(0xff), port, host);
      unknown += 1;
      while ((server.counters()['packet.type'] ?? 0) < unknown) await nextTurn();
    }
    assertUnharmed(server);
    return server.counters();
  } finally {
    socket.close();
    await server.stop();
  }
}

const knownTypes: ReadonlySet<number> = new Set(Object.values(packetTypes));

/** Datagrams of every type: broken ones, INITs with a right mac1, and sealed nonsense. */
function forger(server: SigningKey, dice: Dice): () => Bytes {
  const { sealing, peers } = sealingOf(keyOf(2));
  const responder = peers.responder(server.publicKey);
  assert.ok(responder);
  const seal = (payload: Bytes): Bytes => {
    const sealed = sealing.seal(responder, { txid: dice.bytes(8), payload });
    assert.ok(sealed);
    return sealed.init;
  };
  const inits = requestPayloads.map(seal);
  const samples = [...packetSamples, ...inits];
  const mac1Key = mac1KeyOf(server.publicKey);
  return () => {
    const octets = mutateOctets(dice.pick(samples), dice, dice.pick(samples)).slice(0, 1400);
    if (dice.oneIn(16)) {
      const payload = mutateOctets(dice.pick(requestPayloads), dice, dice.pick(requestPayloads));
      return seal(payload.slice(0, 1060));
    }
    if (octets[0] === packetTypes.init && octets.length >= 124 && dice.oneIn(2)) {
      setMac1(octets, hmacSha256(mac1Key, ...mac1Parts(octets)).subarray(0, 16));
    }
    return octets;
  };
}

/** As many as a transport has under way at once. */
const callsMax = 256;

/** Makes a transport ask `runs` times, and answers it wrongly before it is answered rightly. */
export async function fuzzAsking(
  dice: Dice,
  runs: number,
): Promise<Readonly<Record<string, number>>> {
  const key = keyOf(3);
  const [client] = await startTransport(keyOf(4));
  const socket = await openSocket();
  const { address, port } = socket.address();
  assert.equal(address, host);
  const liar = contactOf(key.publicKey, { ip: Uint8Array.of(127, 0, 0, 1), port });
  const { sealing } = sealingOf(key);
  socket.on('message', (datagram, { port: back }) => {
    for (const answer of lies(sealing, datagram, dice)) socket.send(answer, back, host);
  });
  try {
    for (let asked = 0; asked < runs;) {
      const calls = [];
      for (const end = Math.min(runs, asked + callsMax); asked < end; asked++) {
        calls.push(client.call(liar, dice.pick(sampleRequests)));
      }
      for (const { status, ...call } of await Promise.allSettled(calls)) {
        if (status !== 'rejected' || !('reason' in call)) continue;
        assert.ok(isAltNetError(call.reason), `rejected by ${String(call.reason)}`);
      }
    }
    assertUnharmed(client);
    return client.counters();
  } finally {
    socket.close();
    await client.stop();
  }
}

/** What comes back for one INIT, the truth last; only so much that a call stays open for it. */
function lies(sealing: Sealing, datagram: Bytes, dice: Dice): readonly Bytes[] {
  const init = decodeInit(new Uint8Array(datagram));
  if (isFailure(init)) return [];
  const opened = sealing.open(init);
  assert.ok(opened, 'the client seals for us');
  const truth = opened.reply(dice.pick(replyPayloads));
  if (!truth) return [];
  const lie = sealedLie(sealing, init.bytes, dice);
  const txid = init.txid.slice();
  const broken = mutateOctets(truth, dice, lie).slice(0, 1400);
  const cookie = encodeCookie({ txid, cookie: dice.bytes(16) });
  const noise = encodeResp({ txid, message2: dice.bytes(96 + dice.below(200)) });
  const begun = mutateOctets(encodeHead(packetTypes.resp, txid), dice, truth);
  const odd = dice.pick([[broken], [cookie], [noise], [begun.slice(0, headBytes)], []]);
  return [...odd, lie, truth].filter(
    (answer, i, all) => i === 0 || !equalBytes(answer, all[0] ?? answer),
  );
}

/** A reply that is sealed as it should be, around a payload that is not. */
function sealedLie(sealing: Sealing, init: Bytes, dice: Dice): Bytes {
  const again = decodeInit(init);
  const opened = isFailure(again) ? undefined : sealing.open(again);
  const payload = mutateOctets(dice.pick(replyPayloads), dice, dice.pick(replyPayloads));
  const lie = opened?.reply(payload.slice(0, 1128));
  assert.ok(lie);
  return lie;
}
