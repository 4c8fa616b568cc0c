/** Places at real relays on loopback, some of which pass nothing on. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import {
  hiddenBehind,
  type RelayTestNode,
  startNode,
  startRelay,
  targetOf,
  type TestRelay,
} from '../../../test/support/relay-net.ts';
import { systemWorld } from '../../base/clock.ts';
import { hopProtocol } from './circuit-frames.ts';
import { PlaceProbe, probeProtocol } from './place-probe.ts';

async function probing(
  t: TestContext,
  relay: TestRelay,
): Promise<{ readonly probe: PlaceProbe; readonly hidden: RelayTestNode }> {
  const hidden = await hiddenBehind(t, [relay]);
  const probe = new PlaceProbe(hidden.host, hidden.publicKey, systemWorld);
  await probe.start();
  return { probe, hidden };
}

const soon = (): AbortSignal => AbortSignal.timeout(20_000);

test('octets go through a relay to the node itself, and back', async (t) => {
  const relay = await startRelay(t);
  const { probe, hidden } = await probing(t, relay);
  await probe.run(relay.address, soon());
  assert.ok(relay.server.counts().bytes > 32 * 1024);
  // Nothing of the stranger is left.
  await t.waitFor(() => assert.equal(relay.server.counts().circuits, 0), { timeout: 10_000 });
  await t.waitFor(() => assert.equal(hidden.host.connections().length, 1), { timeout: 10_000 });
});

test('a relay that takes a place and passes nothing on is found out', async (t) => {
  const relay = await startRelay(t);
  const { probe } = await probing(t, relay);
  let asked = 0;
  await relay.host.handle(hopProtocol, async () => void asked++); // and never answers
  await assert.rejects(probe.run(relay.address, AbortSignal.timeout(500)));
  assert.equal(asked, 1);
});

test('a relay that lets handshakes through and no more is found out', async (t) => {
  const relay = await startRelay(t, { connectionBytesMax: 12 * 1024 });
  const { probe } = await probing(t, relay);
  await assert.rejects(probe.run(relay.address, soon()));
  assert.ok(relay.server.counts().bytes > 1024);
});

test('nobody else is answered', async (t) => {
  const relay = await startRelay(t);
  const { hidden } = await probing(t, relay);
  const other = await startNode(t, false);
  const stream = await other.host.open(targetOf(hidden), probeProtocol);
  await assert.rejects(async () => {
    await stream.write(new Uint8Array(16));
    for await (const chunk of stream.read) assert.fail(`${chunk.length} octets`);
  });
});

test('a probe that is given up leaves nothing', async (t) => {
  const relay = await startRelay(t);
  const { probe } = await probing(t, relay);
  await assert.rejects(probe.run(relay.address, AbortSignal.abort(new Error('no more'))));
  await t.waitFor(() => assert.equal(relay.host.connections().length, 1), { timeout: 10_000 });
});
