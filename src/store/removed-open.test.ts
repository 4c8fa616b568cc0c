import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testStore } from '../../test/support/store-folder.ts';
import { block, hold, linkOf } from '../../test/support/store-holdings.ts';

test('what is removed while it is written cannot be completed with a part of it', async (t) => {
  const { store } = await testStore(t);
  const { holdings, blocks } = store;
  const link = linkOf('site');
  const [one, two] = [block('one', 100_000), block('two', 100_000)];
  for (const later of [[], [two]]) {
    await using holding = await holdings.open({ kind: 'visited', root: link });
    await holding.putAll([one]);
    await holdings.remove(link.hash);
    await holding.putAll(later);
    await assert.rejects(holding.complete({ link, files: 1, bytes: 1 }), {
      code: 'CONTENT_UNAVAILABLE',
    });
    assert.notEqual(holdings.get(link.hash)?.complete, true);
    assert.ok(!blocks.has(one.hash));
  }
  await hold(store, 'site', [one, two]);
  assert.ok(holdings.get(link.hash)?.complete, 'who begins anew is not hindered');
});
