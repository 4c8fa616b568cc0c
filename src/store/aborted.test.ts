import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { testStore } from '../../test/support/store-folder.ts';
import { block, hold, isFull, linkOf } from '../../test/support/store-holdings.ts';

const budgetBytes = 40_000_000;
const perPeerBudgetBytes = 20_000_000;

test('after 1,000 copies that were given up there is as much room as before', async (t) => {
  const { store } = await testStore(t, { budgetBytes, perPeerBudgetBytes });
  const { holdings } = store;
  await hold(store, 'own', [block('own', 10_000_000)], { kind: 'own' });
  const from = randomBytes(32);
  const replica = { kind: 'replica', from, source: '4:080808' } as const;
  const before = { ...holdings.usage(), peer: holdings.usageFor(from).bytes };
  for (let i = 0; i < 1000; i++) {
    const holding = await holdings.open({ ...replica, root: linkOf(`pull ${i % 300}`) });
    const joined =
      i % 5 === 0 && (await holdings.open({ kind: 'visited', root: linkOf(`pull ${i % 300}`) }));
    await holding.reserve(5_000_000);
    if (i % 3 > 0) await holding.putAll([block(`block ${i}`, 3000 + i)]);
    if (i % 7 === 0) await assert.rejects(holding.reserve(18_000_000), isFull);
    if (i % 11 === 0) await holdings.remove(linkOf(`pull ${i % 300}`).hash);
    await holding.close();
    if (joined) await joined.close();
  }
  for (const { hash, kind } of holdings.list()) if (kind !== 'own') await holdings.remove(hash);
  assert.deepEqual({ ...holdings.usage(), peer: holdings.usageFor(from).bytes }, before);
  // What is set aside is seen only by what can still be: all that one peer may have, and the rest.
  await using first = await holdings.open({ ...replica, root: linkOf('first') });
  await first.reserve(19_000_000);
  await using second = await holdings.open({
    ...replica,
    from: randomBytes(32),
    root: linkOf('second'),
  });
  await second.reserve(8_500_000);
  await assert.rejects(second.reserve(2_000_000), isFull);
});
