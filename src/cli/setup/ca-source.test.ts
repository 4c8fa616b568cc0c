/** Which authority is meant, and what a user takes for that of the service. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { temporaryFolder } from '../../../test/support/cleanup.ts';
import { type TestSystem, testSystem } from '../../../test/support/setup-system.ts';
import { CertificateAuthority } from '../../ca/authority.ts';
import { authorityOptionsOf, findAuthority, findCaFolder, serviceCaFolder } from './ca-source.ts';
import { sha256Hex } from './journal.ts';
import { systemUnit } from './service-unit.ts';

const ofService = { tld: 'alt', caDir: serviceCaFolder };
const store = '/usr/local/share/ca-certificates/altnet.crt';

/** A machine with a service, and what root had the system trust. */
function withService(t: TestContext, pem?: string, isRoot = false): TestSystem {
  const system = testSystem(t, { isRoot });
  const options = { launcher: '/opt/altnet/bin/altnet', startWords: [], addresses: new Map() };
  system.put('/etc/systemd/system/altnet.service', systemUnit(options));
  if (pem === undefined) return system;
  system.put(store, pem);
  const files = [{ path: store, written: sha256Hex(pem), before: null }];
  const journal = { version: 1, variant: 'debian', state: 'done', files, folders: [] };
  system.put('/etc/altnet/setup-ca.json', JSON.stringify(journal));
  return system;
}

async function madeIn(folder: string): Promise<CertificateAuthority> {
  return CertificateAuthority.open(folder, authorityOptionsOf('alt'));
}

test('without another word it is the own one, then that of the service', async (t) => {
  const data = temporaryFolder(t);
  const own = path.join(data, 'ca');
  assert.equal(await findCaFolder(testSystem(t), data, 'alt'), own);
  assert.equal(await findCaFolder(withService(t), data, 'alt'), serviceCaFolder);
  await madeIn(own);
  assert.equal(await findCaFolder(withService(t), data, 'alt'), own);
});

test('root reads the folder of the service, a user what root had trusted', async (t) => {
  const root = withService(t, undefined, true);
  assert.equal(await findAuthority(root, ofService), undefined);
  mkdirSync(root.outside('/var/lib/altnet'), { recursive: true });
  const made = await madeIn(root.outside(serviceCaFolder));
  assert.equal((await findAuthority(root, ofService))?.fingerprint, made.fingerprint);

  const user = withService(t, made.pem);
  const found = await findAuthority(user, ofService);
  assert.equal(found?.file, store);
  assert.equal(found.name, made.name);
  assert.equal(found.fingerprint, made.fingerprint);
  assert.deepEqual(found.notAfter, made.notAfter);
  assert.equal(await findAuthority(withService(t), ofService), undefined);
});

test('what was put there since, or may do more, is not taken', async (t) => {
  const made = await madeIn(path.join(temporaryFolder(t), 'ca'));
  const other = await madeIn(path.join(temporaryFolder(t), 'ca'));
  const changed = withService(t, made.pem);
  changed.put(store, other.pem);
  assert.equal(await findAuthority(changed, ofService), undefined);
  const unbound = authorityOptionsOf('com');
  const wide = await CertificateAuthority.open(path.join(temporaryFolder(t), 'ca'), unbound);
  for (const pem of [wide.pem, 'nonsense']) {
    await assert.rejects(findAuthority(withService(t, pem), ofService), {
      code: 'CA_UNUSABLE',
    });
  }
});
