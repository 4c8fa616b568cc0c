import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileCid } from '../../test/support/memory-sites.ts';
import type { ResolvedName } from '../name/types.ts';
import { FreshNames } from './names.ts';

test('an answer that was under way when all was forgotten is not remembered', async () => {
  const answer = Promise.withResolvers<ResolvedName>();
  const clock = { unixMs: () => 0, monotonicMs: () => 0 };
  const names = new FreshNames({ resolve: () => answer.promise }, clock, { freshMs: 1000 });
  const { signal } = new AbortController();
  const asked = names.resolve('alice', { signal });
  names.clear();
  const root = fileCid(new Uint8Array());
  answer.resolve({ name: 'alice.alt', state: 'ok', root, asked: 20 });
  await asked;
  assert.equal(names.rootOf('alice'), undefined);
  await names.resolve('alice', { signal });
  assert.equal(names.rootOf('alice'), root);
});
