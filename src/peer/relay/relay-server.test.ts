/** The rules of a relay, with streams that the test writes itself. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { collect } from '../../../test/support/collect.ts';
import { type ManualWorld, manualWorld } from '../../../test/support/manual-world.ts';
import { type Bytes, concatBytes, toHex } from '../../base/bytes.ts';
import { peerIdFromPublicKey } from '@libp2p/peer-id';
import { publicKeyFromRaw } from '@libp2p/crypto/keys';
import { SigningKey } from '../../identity/key.ts';
import type { ByteStream } from '../stream.ts';
import type { OriginHandler, StreamOrigin } from '../streams.ts';
import { hopProtocol } from './circuit-frames.ts';
import {
  encodeRelayFrame,
  type RelayFrame,
  readRelayFrames,
  relayProtocol,
} from './relay-frames.ts';
import { RelayServer, type RelayServerOptions } from './relay-server.ts';

const stopOk = Uint8Array.of(4, 8, 1, 32, 100);

/** What a peer would do with its end. */
class TestStream {
  readonly written: Bytes[] = [];
  isOver = false;
  /** Writes wait until then. */
  isTaking: Promise<void> = Promise.resolve();
  readonly #chunks: Bytes[] = [];
  #wake: () => void = () => undefined;
  readonly stream: ByteStream;

  constructor(remote: Bytes) {
    this.stream = {
      remote,
      read: { [Symbol.asyncIterator]: () => this.#read() },
      write: async (bytes) => {
        if (this.isOver) throw new Error('over');
        this.written.push(bytes);
        await this.isTaking;
      },
      close: async () => this.end(),
      abort: () => this.end(),
    };
  }

  send(bytes: Bytes): void {
    this.#chunks.push(bytes);
    this.#wake();
  }

  end(): void {
    this.isOver = true;
    this.#wake();
  }

  async *#read(): AsyncGenerator<Bytes, void, undefined> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk) yield chunk;
      else if (this.isOver) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

interface Bench {
  readonly world: ManualWorld;
  readonly server: RelayServer;
  /** A stream of a peer at this address; resolves when what it sent was dealt with. */
  readonly open: (
    protocol: string,
    address: string,
    bytes: Bytes,
    key?: Bytes,
  ) => Promise<TestStream>;
  /** The streams on which the relay offered circuits. */
  readonly offered: TestStream[];
}

/** Lets everything that is under way run. */
async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}

const newKey = (): Bytes => new SigningKey('node', randomBytes(32)).publicKey;
const at = (ip: string): string => `/ip4/${ip}/tcp/4000/p2p/${toHex(randomBytes(4))}`;
const reserve = encodeRelayFrame({ type: 'reserve' });

async function bench(options: Partial<RelayServerOptions> = {}, heldBytes = 0): Promise<Bench> {
  const world = manualWorld();
  const handlers = new Map<string, OriginHandler>();
  const offered: TestStream[] = [];
  const origin = (address: string): StreamOrigin => ({ address, heldBytes: () => heldBytes });
  const server = new RelayServer(
    {
      world,
      streams: {
        handle: async (protocol, handler) => void handlers.set(protocol, handler),
        openStream: async ({ publicKey }) => {
          const other = new TestStream(publicKey);
          offered.push(other);
          other.send(stopOk);
          return { stream: other.stream, origin: origin('') };
        },
      },
    },
    { slotsMax: 8, connectionBytesMax: 1000, connectionMs: 60_000, ...options },
  );
  await server.start();
  return {
    world,
    server,
    offered,
    async open(protocol, address, bytes, key = newKey()) {
      const one = new TestStream(key);
      one.send(bytes);
      void handlers.get(protocol)?.(one.stream, origin(address));
      await settled();
      return one;
    },
  };
}

async function answersOf({ written }: TestStream): Promise<(RelayFrame | undefined)[]> {
  return collect(readRelayFrames(inTurn(written)));
}

async function* inTurn(chunks: readonly Bytes[]): AsyncGenerator<Bytes, void, undefined> {
  yield* chunks;
}

/** Asks for a circuit. */
function connectTo(key: Bytes): Bytes {
  const id = peerIdFromPublicKey(publicKeyFromRaw(key)).toMultihash().bytes;
  const peer = Uint8Array.of(0x0a, id.length, ...id);
  return Uint8Array.of(4 + peer.length, 8, 1, 0x12, peer.length, ...peer);
}

test('one network gets some of the places, and is told where it is seen', async () => {
  const { open, server } = await bench({ slotsPerNetworkMax: 2 });
  const streams = [];
  for (const ip of ['45.0.0.1', '45.0.0.2', '45.0.0.3', '45.0.1.1']) {
    streams.push(await open(relayProtocol, at(ip), reserve));
  }
  const answers = await Promise.all(streams.map(async (one) => (await answersOf(one))[0]));
  assert.deepEqual(
    answers.map((answer) => answer?.type),
    ['granted', 'granted', 'refused', 'granted'],
  );
  const [first] = answers;
  assert.ok(first?.type === 'granted');
  assert.deepEqual(first.grant.observed?.ip, Uint8Array.of(45, 0, 0, 1));
  streams[0]?.end();
  await settled();
  const again = await open(relayProtocol, at('45.0.0.4'), reserve);
  assert.equal((await answersOf(again))[0]?.type, 'granted');
  assert.deepEqual(server.counts().refused.network, 1);
});

test('a place ends when nothing is heard of its node for a minute', async () => {
  const { open, server, world } = await bench();
  const one = await open(relayProtocol, at('45.0.0.1'), reserve);
  world.advance(59_000);
  one.send(encodeRelayFrame({ type: 'ping' }));
  await settled();
  world.advance(59_000);
  await settled();
  assert.equal(server.counts().reservations, 1);
  world.advance(1000);
  await settled();
  assert.equal(server.counts().reservations, 0);
  assert.equal(one.isOver, true);
});

test('circuits are limited by network and by who is reached', async () => {
  const { open, server } = await bench({ circuitsPerNetworkMax: 1, circuitsPerPeerMax: 2 });
  const [a, b] = [newKey(), newKey()];
  await open(relayProtocol, at('45.1.0.1'), reserve, a);
  await open(relayProtocol, at('45.1.0.2'), reserve, b);
  await open(hopProtocol, at('45.2.0.1'), connectTo(a));
  await open(hopProtocol, at('45.2.0.2'), connectTo(b));
  assert.deepEqual([server.counts().circuits, server.counts().refused.network], [1, 1]);
  await open(hopProtocol, at('45.3.0.1'), connectTo(a));
  await open(hopProtocol, at('45.4.0.1'), connectTo(a));
  assert.deepEqual([server.counts().circuits, server.counts().refused.peer], [2, 1]);
  await open(hopProtocol, at('45.5.0.1'), connectTo(newKey()));
  assert.equal(server.counts().refused.absent, 1);
});

test('what comes goes to the other end, up to the limit', async () => {
  const { open, offered, server } = await bench();
  const key = newKey();
  await open(relayProtocol, at('45.1.0.1'), reserve, key);
  const asker = await open(
    hopProtocol,
    at('45.2.0.1'),
    concatBytes(connectTo(key), Buffer.from('early')),
  );
  const [other] = offered;
  assert.ok(other);
  other.send(Buffer.from('answer'));
  asker.send(new Uint8Array(900));
  await settled();
  assert.deepEqual(
    other.written.slice(1).map(({ length }) => length),
    [5, 900],
  );
  assert.equal(Buffer.from(asker.written[1] ?? []).toString(), 'answer');
  assert.equal(server.counts().bytes, 911);
  asker.send(new Uint8Array(96));
  await settled();
  assert.deepEqual([asker.isOver, other.isOver, server.counts().circuits], [true, true, 0]);
});

test('an end that takes nothing is given up after half a minute', async () => {
  const { open, offered, server, world } = await bench();
  const key = newKey();
  await open(relayProtocol, at('45.1.0.1'), reserve, key);
  const asker = await open(hopProtocol, at('45.2.0.1'), connectTo(key));
  const [other] = offered;
  assert.ok(other);
  other.isTaking = new Promise(() => undefined);
  asker.send(new Uint8Array(10));
  await settled();
  await world.advanceAsync(30_000);
  assert.equal(server.counts().circuits, 1);
  await world.advanceAsync(1000);
  assert.equal(other.isOver, true);
});

test('circuits that hold too much together end, the largest first', async () => {
  const { open, offered, server, world } = await bench({ heldBytesMax: 5000 }, 1000);
  const key = newKey();
  await open(relayProtocol, at('45.1.0.1'), reserve, key);
  for (let i = 1; i <= 4; i++) await open(hopProtocol, at(`45.${i}.0.1`), connectTo(key));
  assert.equal(server.counts().circuits, 4);
  await world.advanceAsync(300);
  await settled();
  assert.equal(offered.filter(({ isOver }) => isOver).length, 2, 'two of 2,000 each were too much');
  await server.stop();
  assert.ok(offered.every(({ isOver }) => isOver));
});

test('a node whose newer link gets no place has none, and takes none of others', async () => {
  const { open, server } = await bench({ slotsMax: 2, slotsPerNetworkMax: 1 });
  const key = newKey();
  const first = await open(relayProtocol, at('45.0.0.1'), reserve, key);
  await open(relayProtocol, at('45.0.1.1'), reserve);
  await open(relayProtocol, at('45.0.1.2'), reserve, key);
  assert.deepEqual([first.isOver, server.counts().refused.network], [true, 1]);
  await open(relayProtocol, at('45.0.0.2'), reserve);
  await open(relayProtocol, at('45.0.2.1'), reserve);
  assert.deepEqual([server.counts().reservations, server.counts().refused.full], [2, 1]);
});

test('one network does not keep all others from a node', async () => {
  const { open, server } = await bench({ circuitsMax: 64, circuitsPerPeerMax: 8 });
  const key = newKey();
  await open(relayProtocol, at('45.1.0.1'), reserve, key);
  for (let i = 0; i < 8; i++) await open(hopProtocol, at(`45.2.0.${i}`), connectTo(key));
  assert.equal(server.counts().refused.network, 6);
  await open(hopProtocol, at('45.3.0.1'), connectTo(key));
  assert.equal(server.counts().circuits, 3);
});

test('the end waits for nobody who takes nothing', async () => {
  const { open, server, world } = await bench();
  const place = await open(relayProtocol, at('45.1.0.1'), reserve);
  place.isTaking = new Promise(() => undefined);
  let isOver = false;
  const stopped = server.stop().then(() => (isOver = true));
  await settled();
  assert.equal(isOver, false);
  await world.advanceAsync(1000);
  await settled();
  assert.equal(isOver, true);
  await stopped;
});
