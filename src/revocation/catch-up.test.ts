/** How soon somebody who was told by nobody learns of a revocation, and what that costs others. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { RevocationNet } from '../../test/support/revocation-net.ts';
import { SigningKey } from '../identity/key.ts';
import { hashOfContent, revocationTypes } from '../record/revocations.ts';

const revoker = 1;
const revokerKey = new SigningKey('author', new Uint8Array(32).fill(revoker)).publicKey;
const block = new Uint8Array(32).fill(7);
const minuteMs = 60_000;

/** A revoker, and one who goes by it, where announcements get lost. */
async function hushed(t: TestContext, networkSize: number): Promise<Hushed> {
  const net = new RevocationNet(t);
  net.networkSize = networkSize;
  net.isHushed = true;
  const one = await net.start({ author: revoker });
  const two = await net.start({ author: 2, trusts: [revokerKey] });
  await net.world.advanceAsync(minuteMs);
  await one.revocations.revoke([
    { type: revocationTypes.content, target: hashOfContent(block), undo: false },
  ]);
  return { net, isKnown: () => two.lists.ofBlock(block) !== undefined };
}

interface Hushed {
  readonly net: RevocationNet;
  /** To who goes by the revoker. */
  readonly isKnown: () => boolean;
}

for (const networkSize of [2, 500]) {
  test(`of ${networkSize} nodes, who was told by nobody knows within a minute`, async (t) => {
    const { net, isKnown } = await hushed(t, networkSize);
    assert.ok(!isKnown());
    await net.world.advanceAsync(minuteMs);
    assert.ok(isKnown());
  });
}

test('in a large network it takes ten minutes', async (t) => {
  const { net, isKnown } = await hushed(t, 1_000_000);
  await net.world.advanceAsync(minuteMs);
  assert.ok(!isKnown());
  await net.world.advanceAsync(10 * minuteMs);
  assert.ok(isKnown());
});

test('storers are not asked more often when the network grows', async (t) => {
  const searches = await Promise.all(
    [1000, 2000, 4000].map(async (networkSize) => {
      const { net } = await hushed(t, networkSize);
      const before = net.searches;
      await net.world.advanceAsync(60 * minuteMs);
      return (net.searches - before) * networkSize;
    }),
  );
  const [few = 0, ...more] = searches;
  for (const asked of more) assert.ok(asked < few * 1.25, `${searches.join()} in an hour`);
});
