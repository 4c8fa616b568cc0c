import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { atEnd, temporaryFolder } from '../../test/support/cleanup.ts';
import { toHex } from '../base/bytes.ts';
import { systemWorld } from '../base/clock.ts';
import { silentLogger } from '../base/logger.ts';
import { isPublicKey } from '../identity/curve.ts';
import { SigningKey } from '../identity/key.ts';
import { isOpenZone } from '../record/zone.ts';
import { Trust, trustFiles } from './trust.ts';
import type { FolderWatchOptions } from './folder-watch.ts';

const newKey = (): string =>
  toHex(new SigningKey('author', systemWorld.random.bytes(32)).publicKey);
const name = { label: 'alice', key: new Uint8Array(32) };

async function start(
  t: TestContext,
  folder: string,
  options: FolderWatchOptions = { quietMs: 5, latestMs: 50, pollMs: 3_600_000 },
): Promise<Trust> {
  const trust = new Trust({ folder, world: systemWorld, log: silentLogger }, options);
  atEnd(t, () => trust.stop());
  await trust.start();
  return trust;
}

/** Resolves when the next change has been told. */
function change(source: { onChange(listener: () => void): () => void }): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = source.onChange(() => {
    stop();
    resolve();
  });
  return promise;
}

test('a folder without lists trusts nobody and denies nothing', async (t) => {
  const trust = await start(t, temporaryFolder(t));
  assert.deepEqual([trust.registrars.list(), trust.revokers.list()], [[], []]);
  assert.equal(trust.denials.ofName(name), undefined);
});

test('a list of registrars without one key in it opens no name', async (t) => {
  const folder = temporaryFolder(t);
  const file = path.join(folder, trustFiles.registrars);
  writeFileSync(file, `${newKey().slice(1)}\n`);
  const trust = await start(t, folder);
  const [zone = new Uint8Array(), ...others] = trust.zones();
  assert.deepEqual([isPublicKey(zone), isOpenZone(zone), others], [false, false, []]);

  const emptied = change(trust.registrars);
  writeFileSync(file, '# nobody\n');
  await emptied;
  assert.deepEqual(trust.zones(), []);
});

test('lists that change count without a restart', async (t) => {
  const folder = temporaryFolder(t);
  const key = newKey();
  writeFileSync(path.join(folder, trustFiles.registrars), `${key}\n`);
  const trust = await start(t, folder);
  assert.deepEqual(trust.registrars.list().map(toHex), [key]);

  const denied = change(trust.denials);
  writeFileSync(path.join(folder, trustFiles.blocklist), '/name/alice\n');
  await denied;
  assert.deepEqual(trust.denials.ofName(name), { why: 'blocked' });

  const trusted = change(trust.revokers);
  const draft = path.join(folder, 'draft');
  writeFileSync(draft, `${key}\n`);
  renameSync(draft, path.join(folder, trustFiles.revokers)); // as editors do it
  await trusted;
  assert.deepEqual(trust.revokers.list().map(toHex), [key]);

  const replaced = change(trust.revokers);
  const other = newKey();
  writeFileSync(draft, `${other}\n`);
  renameSync(draft, path.join(folder, trustFiles.revokers));
  await replaced;
  assert.deepEqual(trust.revokers.list().map(toHex), [other]);

  const allowed = change(trust.denials);
  rmSync(path.join(folder, trustFiles.blocklist));
  await allowed;
  assert.equal(trust.denials.ofName(name), undefined);
});

test('where nothing is told of changes, they are found', async (t) => {
  const folder = path.join(temporaryFolder(t), 'later');
  const trust = await start(t, folder, { pollMs: 10 }); // there is nothing to watch
  const denied = change(trust.denials);
  mkdirSync(folder);
  writeFileSync(path.join(folder, trustFiles.blocklist), '/name/alice\n');
  await denied;
  assert.deepEqual(trust.denials.ofName(name), { why: 'blocked' });
});

test('a list that cannot be read refuses the start', async (t) => {
  for (const file of Object.values(trustFiles)) {
    const folder = temporaryFolder(t);
    mkdirSync(path.join(folder, file));
    const trust = new Trust({ folder, world: systemWorld, log: silentLogger });
    const message = new RegExp(file);
    await assert.rejects(trust.start(), { code: 'LIST_UNREADABLE', message });
    await trust.stop();
  }
});

test('a list that becomes unreadable stays as it was until it can be read again', async (t) => {
  const folder = temporaryFolder(t);
  const file = path.join(folder, trustFiles.blocklist);
  writeFileSync(file, '/name/alice\n');
  const warnings: unknown[] = [];
  const warned = Promise.withResolvers<void>();
  const log = {
    ...silentLogger,
    warn: (_: string, fields?: object): void => {
      warnings.push(fields);
      warned.resolve();
    },
  };
  const trust = new Trust({ folder, world: systemWorld, log }, { quietMs: 1, pollMs: 20 });
  atEnd(t, () => trust.stop());
  await trust.start();
  rmSync(file);
  mkdirSync(file);
  await warned.promise;
  await trust.blocklist.look();
  assert.deepEqual(warnings, [{ file: trustFiles.blocklist, why: 'EISDIR' }], 'said once');
  assert.deepEqual(trust.denials.ofName(name), { why: 'blocked' });
  await assert.rejects(trust.blocklist.block('bob'), { code: 'LIST_UNREADABLE' });
  const read = change(trust.denials);
  rmSync(file, { recursive: true });
  writeFileSync(file, '/name/bob\n');
  await read;
  assert.equal(trust.blocklist.isNameBlocked('bob'), true);
});

test('stopping twice is harmless, and stops all', async (t) => {
  const folder = temporaryFolder(t);
  const trust = await start(t, folder);
  await Promise.all([trust.stop(), trust.stop()]);
  await trust.stop();
  await assert.rejects(trust.blocklist.block('alice'));
});
