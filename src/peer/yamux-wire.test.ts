/**
 * What goes the short way, and all else that two hosts say on one connection meanwhile: streams of
 * both, small writes, windows, resets, slow readers. The octets that reach the encryption have to be
 * whole frames, and those of each stream in order.
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { TLSSocket } from 'node:tls';
import * as fc from 'fast-check';
import { atEnd } from '../../test/support/cleanup.ts';
import { SigningKey } from '../identity/key.ts';
import { PeerHost, type PeerTarget } from './host.ts';
import type { ByteStream } from './stream.ts';

const protocol = '/test/pieces/1';
const headBytes = 12;

/** What is written to one socket, cut into frames; all that is kept of them is what is wrong. */
class Wire {
  bad: string | undefined;
  large = 0;
  #head = Buffer.alloc(0);
  #dataBytes = 0;

  add(chunk: Uint8Array): void {
    for (let rest = chunk; rest.length > 0 && this.bad === undefined;) {
      const data = Math.min(this.#dataBytes, rest.length);
      this.#dataBytes -= data;
      const head = rest.subarray(data, data + headBytes - this.#head.length);
      this.#head = Buffer.concat([this.#head, head]);
      rest = rest.subarray(data + head.length);
      if (this.#head.length === headBytes) this.#read();
    }
  }

  #read(): void {
    const [version, type = 255] = this.#head;
    const [flags, id] = [this.#head.readUInt16BE(2), this.#head.readUInt32BE(4)];
    const length = this.#head.readUInt32BE(8);
    // Types without a stream are pings and the like.
    const isSound =
      version === 0 && type < 4 && flags < 16 && id < 10_000 && (id === 0) === type > 1;
    if (!isSound) this.bad = this.#head.toString('hex');
    if (type === 0) this.#dataBytes = length;
    if (type === 0 && length > 32 * 1024) this.large++;
    this.#head = Buffer.alloc(0);
  }
}

/** Of all TLS sockets, from now on: they write whole frames before as well. */
function watchWires(t: TestContext): ReadonlyMap<TLSSocket, Wire> {
  const wires = new Map<TLSSocket, Wire>();
  const wireOf = (socket: TLSSocket): Wire => {
    const wire = wires.get(socket) ?? new Wire();
    wires.set(socket, wire);
    return wire;
  };
  const watch = (name: string, chunksOf: (first: unknown) => readonly Uint8Array[]): void => {
    const { prototype } = TLSSocket;
    const write: unknown = Reflect.get(prototype, name); // that of all sockets
    assert.ok(typeof write === 'function' && !Object.hasOwn(prototype, name));
    Reflect.set(prototype, name, function (this: TLSSocket, ...how: readonly unknown[]) {
      for (const chunk of chunksOf(how[0])) wireOf(this).add(chunk);
      Reflect.apply(write, this, how);
    });
    atEnd(t, () => void Reflect.deleteProperty(prototype, name));
  };
  watch('_write', (chunk) => [chunk as Uint8Array]);
  watch('_writev', (all) => (all as { chunk: Uint8Array }[]).map(({ chunk }) => chunk));
  return wires;
}

async function startHost(t: TestContext): Promise<{ host: PeerHost; target: PeerTarget }> {
  const key = new SigningKey('node', randomBytes(32));
  const host = new PeerHost({ key, listen: [{ host: '127.0.0.1', port: 0 }] });
  await host.start();
  atEnd(t, () => host.stop());
  return { host, target: { publicKey: key.publicKey, addresses: host.addresses() } };
}

interface Plan {
  readonly lengths: readonly number[];
  /** After so many octets the reader resets the stream. */
  readonly readsMax: number;
  /** How many turns it lets pass after each chunk. */
  readonly waits: number;
  /** The one that listens opens it, on the connection that there is. */
  readonly isBack: boolean;
}

const plan: fc.Arbitrary<Plan> = fc.record({
  lengths: fc.array(
    fc.oneof(fc.integer({ min: 1, max: 400 }), fc.integer({ min: 32 * 1024, max: 300_000 })),
    { minLength: 1, maxLength: 12 },
  ),
  readsMax: fc.oneof(fc.constant(Infinity), fc.integer({ min: 1, max: 1_000_000 })),
  waits: fc.constantFrom(0, 0, 3),
  isBack: fc.boolean(),
});

/** Answers one octet, the number of a plan, with its pieces, each filled with its own number. */
function serving(plans: () => readonly Plan[]) {
  return async (stream: ByteStream): Promise<void> => {
    try {
      const { value } = await stream.read[Symbol.asyncIterator]().next();
      for (const [i, length] of (plans()[value?.[0] ?? 0]?.lengths ?? []).entries()) {
        await stream.write((stream.memoryFor?.(length) ?? new Uint8Array(length)).fill(i));
      }
      await stream.close();
    } catch {
      // Its reader gave it up.
    }
  };
}

async function read(stream: ByteStream, number: number, { lengths, readsMax, waits }: Plan) {
  const [got, sent] = [createHash('sha256'), createHash('sha256')];
  let bytes = 0;
  await stream.write(Uint8Array.of(number));
  for await (const chunk of stream.read) {
    got.update(chunk);
    bytes += chunk.length;
    if (bytes > readsMax) return stream.abort(new Error('enough'));
    for (let i = 0; i < waits; i++) await setImmediate();
  }
  for (const [i, length] of lengths.entries()) sent.update(new Uint8Array(length).fill(i));
  assert.equal(got.digest('hex'), sent.digest('hex'));
  await stream.close();
}

test('octets on the wire are whole frames, whatever goes beside large pieces', async (t) => {
  const wires = watchWires(t);
  const [a, b] = [await startHost(t), await startHost(t)];
  let plans: readonly Plan[] = [];
  for (const { host } of [a, b])
    await host.handle(
      protocol,
      serving(() => plans),
    );
  const first = await a.host.open(b.target, protocol);
  await t.waitFor(() => assert.equal(b.host.connections().length, 1));
  await fc.assert(
    fc.asyncProperty(fc.array(plan, { minLength: 2, maxLength: 10 }), async (some) => {
      plans = some;
      const reading = some.map(async (one, i) => {
        const [from, to] = one.isBack ? [b, a] : [a, b];
        await read(await from.host.open({ ...to.target, addresses: [] }, protocol), i, one);
      });
      await Promise.all(reading);
    }),
    { numRuns: 12, endOnFailure: true },
  );
  first.abort(new Error('over'));
  assert.equal(a.host.connections().length, 1);
  const all = [...wires.values()];
  assert.deepEqual(
    all.map(({ bad }) => bad),
    [undefined, undefined],
  );
  assert.ok(all.every(({ large }) => large > 10));
});
