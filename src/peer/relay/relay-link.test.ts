import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ManualWorld, manualWorld } from '../../../test/support/manual-world.ts';
import type { Bytes } from '../../base/bytes.ts';
import { isAltNetError } from '../../base/errors.ts';
import type { ByteStream } from '../stream.ts';
import { encodeRelayFrame, type RelayFrame, readRelayFrames } from './relay-frames.ts';
import { RelayLink, RelayRefusal } from './relay-link.ts';

const grant = { leaseSeconds: 60, circuitBytesMax: 9, circuitSeconds: 9, observed: undefined };

/** A relay that says what the test has it say. */
class FakeRelay {
  readonly sent: string[] = [];
  readonly #chunks: Bytes[] = [];
  #wake: () => void = () => undefined;
  #isOver = false;
  readonly stream: ByteStream = {
    remote: new Uint8Array(32),
    read: this.#read(),
    write: async (bytes) => {
      for await (const frame of readRelayFrames(once(bytes))) this.sent.push(frame?.type ?? '?');
    },
    close: async () => this.end(),
    abort: () => this.end(),
  };

  say(frame: RelayFrame): void {
    this.#chunks.push(encodeRelayFrame(frame));
    this.#wake();
  }

  end(): void {
    this.#isOver = true;
    this.#wake();
  }

  async *#read(): AsyncGenerator<Bytes, void, undefined> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk) yield chunk;
      else if (this.#isOver) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

async function* once(bytes: Bytes): AsyncGenerator<Bytes, void, undefined> {
  yield bytes;
}

function started(): { relay: FakeRelay; link: RelayLink; world: ManualWorld } {
  const [relay, world] = [new FakeRelay(), manualWorld()];
  const link = new RelayLink(relay.stream, world);
  link.start();
  return { relay, link, world };
}

/** Lets what was said arrive. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

test('a place is given or refused', async () => {
  const { relay, link } = started();
  const [first, again] = [link.reserve(), link.reserve()];
  relay.say({ type: 'granted', grant });
  assert.deepEqual([await first, await again], [grant, grant]);
  const refused = link.reserve();
  relay.say({ type: 'refused', reason: 'network' });
  await assert.rejects(
    refused,
    (error) => error instanceof RelayRefusal && /network/.test(String(error)),
  );
  await link.close();
  assert.equal(await link.ended, 'closed');
  await assert.rejects(link.reserve(), (error) => isAltNetError(error, 'UNREACHABLE'));
});

test('a relay that answers stays, one that falls silent is gone within seven seconds', async () => {
  const { relay, link, world } = started();
  for (let i = 0; i < 10; i++) {
    world.advance(4000);
    await settled();
    relay.say({ type: 'pong' });
    await settled();
  }
  assert.deepEqual(relay.sent, Array(10).fill('ping'));
  world.advance(7000);
  assert.equal(await link.ended, 'silent');
});

test('a relay on which somebody is about to rely is asked at once, and once', async () => {
  const { relay, link, world } = started();
  link.check();
  link.check();
  await settled();
  assert.deepEqual(relay.sent, ['ping']);
  relay.say({ type: 'pong' });
  await settled();
  link.check();
  await settled();
  assert.deepEqual(relay.sent, ['ping', 'ping']);
  world.advance(3000);
  assert.equal(await link.ended, 'silent');
  link.check();
  assert.equal(world.pendingTimers(), 0);
});

test('a relay that leaves, breaks off or talks like a client ends the link', async () => {
  for (const [how, act] of [
    ['leaving', (relay: FakeRelay) => relay.say({ type: 'leaving' })],
    ['broken', (relay: FakeRelay) => relay.end()],
    ['broken', (relay: FakeRelay) => relay.say({ type: 'reserve' })],
  ] as const) {
    const { relay, link } = started();
    const waiting = link.reserve();
    act(relay);
    await assert.rejects(waiting);
    assert.equal(await link.ended, how);
  }
});
