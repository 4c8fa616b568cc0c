import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkName } from './check.ts';
import type { OwnName, ResolveResult } from './ports.ts';

const owner = 'a'.repeat(64);

/** Of the names that are asked about, only alice.alt is held, by `owner`. */
const resolve = async (name: string): Promise<ResolveResult> =>
  name === 'alice.alt'
    ? { name, state: 'ok', owner, asked: 3 }
    : { name, state: 'not-found', asked: 3 };

function own(name: string): OwnName {
  const [root, cid] = ['b'.repeat(64), 'bafy'];
  return { name, root, cid, owner, registered_at: 1, updated_at: 1, version: 1 };
}

test('a name below another is available to the owner of that one alone', async () => {
  const below = 'blog.alice.alt';
  const others = { resolve, names: async () => [own('bob.alt')] };
  const { error, ...answer } = await checkName(others, below, {});
  assert.deepEqual(answer, { name: below, available: false, owner });
  assert.match(error ?? '', /only the owner/);
  const mine = { resolve, names: async () => [own('alice.alt')] };
  assert.deepEqual(await checkName(mine, below, {}), { name: below, available: true });
  const nowhere = await checkName(mine, 'blog.carol.alt', {});
  assert.equal(nowhere.available, false);
  assert.match(nowhere.error ?? '', /carol\.alt, which nobody holds/);
  assert.deepEqual(await checkName(mine, 'carol.alt', {}), { name: 'carol.alt', available: true });
});
