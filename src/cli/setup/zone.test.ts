/** Which zone commands set up that are not told: that of the node whose word they find. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../../test/support/cleanup.ts';
import { testSystem } from '../../../test/support/setup-system.ts';
import { removeRunFile, writeRunFile } from '../../node/runfile.ts';
import { stateFolder, systemUnit, unitFile } from './service-unit.ts';
import { findZone } from './zone.ts';

test('what the user says counts, then what the node says, then that of the service', async (t) => {
  const [data, elsewhere] = [temporaryFolder(t), temporaryFolder(t)];
  const system = testSystem(t);
  const usual = path.join(data, 'ca');
  assert.deepEqual(await findZone({ system, data }), { tld: 'alt', caDir: usual });

  const service = system.outside(stateFolder);
  mkdirSync(service, { recursive: true });
  const ofService = { tld: 'inn', caDir: `${stateFolder}/ca` };
  await writeRunFile(service, undefined, { zone: ofService });
  assert.equal((await findZone({ system, data })).tld, 'inn');

  const zone = { tld: 'web', caDir: elsewhere };
  await writeRunFile(data, undefined, { zone });
  assert.deepEqual(await findZone({ system, data }), zone);
  assert.deepEqual(await findZone({ system, data, tld: 'home' }), { ...zone, tld: 'home' });
  assert.deepEqual(await findZone({ system, data, caDir: '/x' }), { tld: 'web', caDir: '/x' });
  await removeRunFile(data);
  assert.equal((await findZone({ system, data })).caDir, usual);
});

test('how the names of a service end its unit says to everybody', async (t) => {
  const data = temporaryFolder(t);
  const unit = { launcher: '/opt/altnet/bin/altnet', startWords: [], addresses: new Map() };
  for (const [tld, wanted] of [
    ['inn', 'inn'],
    ['no ending', 'alt'],
  ] as const) {
    const system = testSystem(t);
    system.put(unitFile, systemUnit({ ...unit, tld }));
    assert.equal((await findZone({ system, data })).tld, wanted);
  }
});

test('a word that is no ending, or names no folder, is none', async (t) => {
  const data = temporaryFolder(t);
  const system = testSystem(t);
  for (const zone of [
    { tld: 'a/b', caDir: '/x' },
    { tld: 'Web', caDir: '/x' },
    { tld: 'web', caDir: 'x' },
  ]) {
    await writeRunFile(data, undefined, { zone });
    assert.equal((await findZone({ system, data })).tld, 'alt', JSON.stringify(zone));
  }
});
