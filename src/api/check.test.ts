import assert from 'node:assert/strict';
import { test } from 'node:test';
import { samples } from '../../test/support/node-services.ts';
import { checkName } from './check.ts';
import type { OwnName, ResolveResult } from './ports-names.ts';

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

const asked = { resolve, names: async (): Promise<OwnName[]> => [], keys: () => samples.keys };

test('a name below another is available to the owner of that one alone', async () => {
  const below = 'blog.alice.alt';
  const others = { ...asked, names: async () => [own('bob.alt')] };
  const { error, ...answer } = await checkName(others, below, {});
  assert.deepEqual(answer, { name: below, available: false, owner });
  assert.match(error ?? '', /only the owner/);
  const mine = { ...asked, names: async () => [own('alice.alt')] };
  assert.deepEqual(await checkName(mine, below, {}), { name: below, available: true });
  const nowhere = await checkName(mine, 'blog.carol.alt', {});
  assert.equal(nowhere.available, false);
  assert.match(nowhere.error ?? '', /carol\.alt, which nobody holds/);
  assert.deepEqual(await checkName(mine, 'carol.alt', {}), { name: 'carol.alt', available: true });
});

test('a name that was given up is available to its last owner alone', async () => {
  const name = 'gone.alt';
  const givenUp =
    (previousOwner: string): typeof resolve =>
    async () => ({ name, state: 'not-found', freeAt: 1_700_000_000, previousOwner, asked: 3 });
  const { error, ...others } = await checkName({ ...asked, resolve: givenUp(owner) }, name, {});
  assert.deepEqual(others, { name, available: false, freeAt: 1_700_000_000 });
  assert.match(error ?? '', /gave it up; free from 2023-11-14T22:13:20/);
  const mine = { ...asked, resolve: givenUp(samples.keys.authorPublicKey) };
  assert.deepEqual(await checkName(mine, name, {}), {
    name,
    available: true,
    freeAt: 1_700_000_000,
  });
});
