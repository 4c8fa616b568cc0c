/** The authority of a node that may have none, or a damaged one. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../test/support/cleanup.ts';
import { systemWorld } from '../base/clock.ts';
import { OwnAuthority } from './own-authority.ts';

test('it is found once there is one, and a damaged one is told of once', async (t) => {
  const folder = temporaryFolder(t);
  const told: string[] = [];
  const log = { error: (text: string): void => void told.push(text) };
  const terms = { tld: 'alt', world: systemWorld };
  const asked = new OwnAuthority(folder, terms, log);
  assert.equal(await asked.find(), undefined);
  const made = await new OwnAuthority(folder, terms, log).open();
  const file = path.join(folder, 'ca.pem');
  const pem = readFileSync(file);
  writeFileSync(file, 'damaged');
  for (let i = 0; i < 3; i++) assert.equal(await asked.find(), undefined);
  assert.equal(told.length, 1);
  writeFileSync(file, pem);
  assert.equal((await asked.find())?.fingerprint, made.fingerprint);
  assert.equal(await asked.open(), await asked.find());
});
