/** Places at real relays on loopback. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import {
  echo,
  type RelayTestNode,
  roundTrip,
  serveEcho,
  startNode,
  startRelay,
  targetOf,
  type TestRelay,
} from '../../../test/support/relay-net.ts';
import { manualWorld } from '../../../test/support/manual-world.ts';
import { equalBytes } from '../../base/bytes.ts';
import { systemWorld } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { keyId } from '../../identity/key.ts';
import { formatPeerAddress } from '../peer-address.ts';
import type { ByteStream } from '../stream.ts';
import {
  type RelayCandidate,
  RelayClient,
  type RelayClientDeps,
  type RelayHost,
} from './relay-client.ts';
import { encodeRelayFrame } from './relay-frames.ts';
import { RelayWatch } from './relay-watch.ts';

interface Kept {
  readonly client: RelayClient;
  readonly changes: number[];
  isNeeded: boolean;
}

function keepPlaces(
  t: TestContext,
  { host, publicKey: self }: RelayTestNode,
  candidates: readonly RelayCandidate[],
  probe: RelayClientDeps['probe'] = gettingThrough,
): Kept {
  const changes: number[] = [];
  const kept: Kept = {
    changes,
    isNeeded: true,
    client: clientOf({
      host,
      self,
      world: systemWorld,
      isNeeded: () => kept.isNeeded,
      async *candidates() {
        yield* candidates;
      },
      probe,
      onChange: () => void changes.push(kept.client.places().length),
    }),
  };
  kept.client.start();
  t.after(() => kept.client.stop());
  return kept;
}

const gettingThrough = async (): Promise<void> => undefined;

type Given = 'host' | 'self' | 'world' | 'candidates';

/** One that needs places all the time, and tells nobody. */
function clientOf(
  deps: Pick<RelayClientDeps, Given> & Partial<Omit<RelayClientDeps, Given>>,
): RelayClient {
  return new RelayClient({
    log: silentLogger,
    isNeeded: () => true,
    probe: gettingThrough,
    onChange: () => undefined,
    onProven: () => undefined,
    ...deps,
  });
}

/** A host that knows no more than how streams are opened. */
function hostThat(open: RelayHost['open']): RelayHost {
  return {
    open,
    keyAt: () => Promise.reject(new Error('all are known')),
    useRelays: () => undefined,
    drop: () => undefined,
  };
}

async function* oneRelay(publicKey: Uint8Array): AsyncGenerator<RelayCandidate> {
  yield { endpoint: { ip: Uint8Array.of(45, 0, 0, 1), port: 9000 }, publicKey };
}

const known = ({ address, publicKey }: TestRelay): RelayCandidate => ({
  endpoint: address.endpoint,
  publicKey,
});

/** What a relay writes that grants a place and breaks off. */
function grantingOnce(remote: Uint8Array): ByteStream {
  const grant = {
    leaseSeconds: 60,
    circuitBytesMax: 1024,
    circuitSeconds: 60,
    observed: undefined,
  };
  return {
    remote,
    read: {
      async *[Symbol.asyncIterator]() {
        yield encodeRelayFrame({ type: 'granted', grant });
        await new Promise((resolve) => setImmediate(resolve));
      },
    },
    write: async () => undefined,
    close: async () => undefined,
    abort: () => undefined,
  };
}

/** What a relay writes that grants a place and keeps to that. */
function granting(remote: Uint8Array): ByteStream {
  const once = grantingOnce(remote);
  const over = Promise.withResolvers<void>();
  return {
    ...once,
    read: {
      async *[Symbol.asyncIterator]() {
        yield* once.read;
        await over.promise;
      },
    },
    close: async () => over.resolve(),
    abort: () => over.resolve(),
  };
}

async function until(t: TestContext, holds: () => boolean): Promise<void> {
  await t.waitFor(() => assert.ok(holds()), { timeout: 20_000 });
}

test('two places are kept: when a relay ends, another one takes its part', async (t) => {
  const relays = [await startRelay(t), await startRelay(t), await startRelay(t)];
  const hidden = await startNode(t, false);
  await hidden.host.handle(echo, serveEcho);
  const { client } = keepPlaces(t, hidden, relays.map(known));
  const used = (): string[] => client.places().map(({ address }) => formatPeerAddress(address));
  await until(t, () => used().length === 2);
  const first = relays.find(({ address }) => formatPeerAddress(address) === used()[0]);
  assert.ok(first);
  const gone = formatPeerAddress(first.address);
  await first.server.stop(); // it says that it leaves
  await until(t, () => used().length === 2 && !used().includes(gone));
  assert.deepEqual(hidden.host.addresses(), used());
  const reader = await startNode(t, false);
  const stream = await reader.host.open(targetOf(hidden), echo);
  assert.equal(Buffer.from(await roundTrip(stream, Buffer.from('hi'))).toString(), 'hi');
  await client.stop();
  assert.deepEqual(hidden.host.addresses(), []);
  const left = (): number =>
    relays.reduce((sum, { server }) => sum + server.counts().reservations, 0);
  await until(t, () => left() === 0);
});

test('a relay is known by its address alone, by its ID, or refused for another ID', async (t) => {
  const [plain, named, wrong] = [await startRelay(t), await startRelay(t), await startRelay(t)];
  const hidden = await startNode(t, false);
  const { client } = keepPlaces(t, hidden, [
    { endpoint: wrong.address.endpoint, nodeId: keyId(plain.publicKey) },
    { endpoint: plain.address.endpoint },
    { endpoint: named.address.endpoint, nodeId: keyId(named.publicKey) },
  ]);
  await until(t, () => client.places().length === 2);
  const used = new Set(client.places().map(({ address }) => formatPeerAddress(address)));
  assert.deepEqual(used, new Set([plain, named].map(({ address }) => formatPeerAddress(address))));
});

test('a full relay is passed over, and places are given back when none is needed', async (t) => {
  const [full, free] = [await startRelay(t, { slotsMax: 0 }), await startRelay(t)];
  const hidden = await startNode(t, false);
  const kept = keepPlaces(t, hidden, [full, free].map(known));
  await until(t, () => kept.client.places().length === 1);
  assert.ok(full.server.counts().refused.full >= 1);
  kept.isNeeded = false;
  kept.client.wake();
  await until(t, () => kept.client.places().length === 0);
  await until(t, () => free.server.counts().reservations === 0);
  assert.deepEqual(kept.changes, [1, 0]);
});

test('a relay that serves a reader is watched as long as it does', async (t) => {
  const relay = await startRelay(t);
  const [hidden, reader] = [await startNode(t, false), await startNode(t, false)];
  await hidden.host.handle(echo, serveEcho);
  const { client } = keepPlaces(t, hidden, [known(relay)]);
  await until(t, () => client.places().length === 1);
  const watch = new RelayWatch(reader.host, systemWorld);
  watch.start();
  t.after(() => watch.stop());
  await reader.host.open(targetOf(hidden), echo);
  // Besides the one of the circuit there is the link.
  const streams = (): number =>
    relay.host
      .connections()
      .filter(({ publicKey }) => equalBytes(publicKey, reader.publicKey))
      .reduce((sum, connection) => sum + connection.streams, 0);
  await until(t, () => streams() === 2);
  await watch.stop();
  await until(t, () => streams() === 1);
});

test('a relay that gives a place and takes it back is asked ever less often', async (t) => {
  const world = manualWorld();
  const [self, relayKey] = [randomBytes(32), randomBytes(32)];
  let asked = 0;
  const host = hostThat(async () => {
    asked++;
    return grantingOnce(relayKey);
  });
  let changes = 0;
  const candidates = (): AsyncGenerator<RelayCandidate> => oneRelay(relayKey);
  const client = clientOf({ host, world, self, candidates, onChange: () => void changes++ });
  client.start();
  for (let seconds = 0; seconds < 600; seconds++) await world.advanceAsync(1000);
  t.diagnostic(`${asked} places, ${changes} changes`);
  // Never less often than each half minute: it is the only one.
  assert.ok(asked > 3 && asked < 30, `${asked} in ten minutes`);
  const stopped = client.stop();
  await world.advanceAsync(1);
  await stopped;
});

test('a relay that passes nothing on is replaced, and kept where there is no other', async (t) => {
  const [bad, good] = [await startRelay(t), await startRelay(t)];
  const hidden = await startNode(t, false);
  const tried: string[] = [];
  const candidates = [known(bad)];
  const isBad = (key: Uint8Array): boolean => equalBytes(key, bad.publicKey);
  const world = manualWorld();
  const probe: RelayClientDeps['probe'] = async ({ relayKey }) => {
    tried.push(isBad(relayKey) ? 'bad' : 'good');
    if (isBad(relayKey)) throw new Error('nothing got through');
  };
  const client = clientOf({
    host: hidden.host,
    self: hidden.publicKey,
    world,
    probe,
    async *candidates() {
      yield* candidates;
    },
  });
  client.start();
  t.after(() => client.stop());
  const states = (): string[] =>
    client.places().map(({ address, state }) => `${isBad(address.relayKey)} ${state}`);
  const passing = async (holds: () => boolean): Promise<void> => {
    for (let seconds = 0; seconds < 120 && !holds(); seconds++) {
      await world.advanceAsync(1000);
      await new Promise((resolve) => setTimeout(resolve, 5)); // for what comes over real sockets
    }
    assert.ok(holds(), states().join());
  };
  await passing(() => states().join() === 'true useless');
  assert.deepEqual(tried, ['bad', 'bad']);
  assert.deepEqual(hidden.host.addresses(), [formatPeerAddress(bad.address)]);
  candidates.push(known(good));
  await passing(() => states().join() === 'false working,true useless');
  // Readers are told of the one that works first.
  assert.deepEqual(
    hidden.host.addresses(),
    [good, bad].map(({ address }) => formatPeerAddress(address)),
  );
  const third = await startRelay(t);
  candidates.push(known(third));
  await passing(() => states().join() === 'false working,false working');
  await until(t, () => bad.server.counts().reservations === 0);
});

test('who is reached by nobody asks again soon, and at once when the network is back', async () => {
  const world = manualWorld();
  let [asked, isThere] = [0, false];
  const relayKey = randomBytes(32);
  const host = hostThat(async () => {
    asked++;
    if (!isThere) throw new Error('no way');
    return granting(relayKey);
  });
  const candidates = (): AsyncGenerator<RelayCandidate> => oneRelay(relayKey);
  const client = clientOf({ host, world, self: randomBytes(32), candidates });
  client.start();
  await world.advanceAsync(1_800_000);
  const before = asked;
  await world.advanceAsync(600_000);
  // Each half minute and a little more, also after an hour without.
  assert.ok(asked - before >= 12 && asked - before <= 28, `${asked - before} in ten minutes`);
  isThere = true;
  client.wake();
  await world.advanceAsync(1);
  assert.equal(client.places().length, 1);
  const stopped = client.stop();
  await world.advanceAsync(1);
  await stopped;
});

test('candidates that do not answer cost a second each, and no more than four are tried', async () => {
  const world = manualWorld();
  const open = new Set<number>();
  let most = 0;
  const host = hostThat(async ({ publicKey: [number = 0] }, _protocol, { signal } = {}) => {
    if (number > 6) return granting(new Uint8Array(32).fill(number));
    most = Math.max(most, open.add(number).size);
    const { promise, reject } = Promise.withResolvers<never>();
    signal?.addEventListener('abort', () => {
      open.delete(number);
      reject(new Error('given up'));
    });
    return promise;
  });
  const client = clientOf({
    host,
    world,
    self: randomBytes(32),
    async *candidates() {
      for (let number = 1; number < 10; number++) {
        const endpoint = { ip: Uint8Array.of(45, number, 0, 1), port: 9000 };
        yield { endpoint, publicKey: new Uint8Array(32).fill(number) };
      }
    },
  });
  client.start();
  await world.advanceAsync(13_000);
  assert.equal(client.places().length, 2);
  assert.equal(most, 4);
  const stopped = client.stop();
  await world.advanceAsync(10_000);
  await stopped;
});
