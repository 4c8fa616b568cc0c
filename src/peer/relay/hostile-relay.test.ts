/** What relays that keep to no rule can do to who reaches others through them, and is reached. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  echo,
  hiddenBehind,
  type RelayTestNode,
  roundTrip,
  startNode,
  startRelay,
  targetOf,
} from '../../../test/support/relay-net.ts';
import { type Bytes, equalBytes } from '../../base/bytes.ts';
import type { ByteStream } from '../stream.ts';
import { hopProtocol, stopProtocol } from './circuit-frames.ts';

/** STATUS OK of hop; CONNECT from `peer` of stop: neither with a limit. */
const hopOk = Uint8Array.of(4, 8, 2, 40, 100);
const connectFrom = (peer: Bytes): Bytes =>
  Uint8Array.of(44, 8, 0, 18, 40, 10, 38, 0, 36, 8, 1, 18, 32, ...peer);

async function copy(from: ByteStream, to: ByteStream): Promise<void> {
  for await (const chunk of from.read) await to.write(chunk);
}

/** Of each connection of `one` to `other`, whether it leads through a relay. */
function between(one: RelayTestNode, other: RelayTestNode): boolean[] {
  return one.host
    .connections()
    .filter(({ publicKey }) => equalBytes(publicKey, other.publicKey))
    .map(({ isRelayed }) => isRelayed);
}

/** Passes on everything, and says nothing of limits. */
async function passUnlimited(relay: RelayTestNode, to: Bytes): Promise<void> {
  await relay.host.handle(hopProtocol, async (stream) => {
    await stream.read[Symbol.asyncIterator]().next();
    const other = await relay.host.open({ publicKey: to, addresses: [] }, stopProtocol);
    await other.write(connectFrom(stream.remote));
    await other.read[Symbol.asyncIterator]().next();
    await stream.write(hopOk);
    await Promise.allSettled([copy(stream, other), copy(other, stream)]);
  });
}

test('a relay that names no limit passes for no direct connection', async (t) => {
  const relay = await startRelay(t);
  const hidden = await hiddenBehind(t, [relay]);
  await passUnlimited(relay, hidden.publicKey);
  const reader = await startNode(t, false);
  const stream = await reader.host.open(targetOf(hidden), echo);
  assert.equal(Buffer.from(await roundTrip(stream, Buffer.from('hi'))).toString(), 'hi');
  assert.deepEqual([between(reader, hidden), between(hidden, reader)], [[true], [true]]);
  await assert.rejects(reader.host.open(targetOf(hidden), echo, { direct: true }));
});
