import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { describe, test, type TestContext } from 'node:test';
import { open } from 'lmdb';
import { atEnd, temporaryFolder } from '../../test/support/cleanup.ts';
import { sourcesEnv } from '../../test/support/compile-cache.ts';
import { openTestStore, putInto, testStore } from '../../test/support/store-folder.ts';
import { utf8 } from '../base/bytes.ts';
import { systemWorld } from '../base/clock.ts';
import { isAltNetError } from '../base/errors.ts';
import { sha256 } from '../base/hash.ts';
import { silentLogger } from '../base/logger.ts';
import { claimFolder } from './claim.ts';
import { inspectDatabaseFile } from './database-file.ts';
import { openEnvironment } from './environment.ts';
import type { Migration } from './migrations.ts';
import { migrate, schemaVersion } from './schema.ts';
import type { Store } from './store.ts';

describe('a data folder', () => {
  test('is used by one store at a time', async (t) => {
    const { folder, store } = await testStore(t);
    await assert.rejects(openTestStore(folder), (error) => {
      assert.ok(isAltNetError(error, 'STORE_LOCKED'));
      assert.equal(error.details.pid, process.pid);
      assert.match(error.details.folder, /altnet-test-/);
      return true;
    });
    await store.close();
    await store.close();
    await (await openTestStore(folder)).close();
  });

  test('is refused while another process uses it and free once that was killed', async (t) => {
    const folder = temporaryFolder(t);
    const program = path.resolve(import.meta.dirname, '../../test/support/store-child.ts');
    const child = spawn(process.execPath, [program, folder, 'wait'], {
      env: sourcesEnv,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    await assert.rejects(openTestStore(folder), (error) => {
      assert.ok(isAltNetError(error, 'STORE_LOCKED'));
      assert.equal(error.details.pid, child.pid);
      return true;
    });
    child.kill('SIGKILL');
    await once(child, 'exit');
    await (await openTestStore(folder)).close();
  });

  test('is not kept by a dead process whose number another one has now', async (t) => {
    const folder = temporaryFolder(t);
    const store = path.join(folder, 'store');
    claimFolder(store).release();
    const boot = existsSync('/proc/sys/kernel/random/boot_id')
      ? readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').slice(0, 8)
      : '0';
    if (boot === '0') return t.skip('this system does not tell when a process started');
    writeFileSync(path.join(store, `in-use-by-${process.ppid}-1-${boot}`), '');
    const claim = claimFolder(store);
    assert.equal(claim.afterCrash, true);
    claim.release();
    assert.deepEqual(readdirSync(store), []);
  });
});

describe('a database', () => {
  test('that is no database is refused and left as it is', async (t) => {
    const folder = temporaryFolder(t);
    const file = path.join(folder, 'store', 'index.mdb');
    claimFolder(path.dirname(file)).release();
    for (const content of ['not a database', 'x'.repeat(100_000)]) {
      writeFileSync(file, content);
      await assert.rejects(openTestStore(folder), (error) => isAltNetError(error, 'STORE_DAMAGED'));
      assert.equal(readFileSync(file, 'utf8'), content);
    }
  });

  test('that was cut off or overwritten in part is refused, not crashed on', async (t) => {
    const folder = temporaryFolder(t);
    const store = await openTestStore(folder);
    const bytes = Array.from({ length: 200 }, (_, i) => new Uint8Array(1000).fill(i));
    await putInto(
      store,
      sha256(utf8('root')),
      bytes.map((one) => ({ hash: sha256(one), bytes: one })),
    );
    await store.close();
    const file = path.join(folder, 'store', 'index.mdb');
    const whole = readFileSync(file);
    assert.equal(inspectDatabaseFile(file).state, 'sound');
    const half = whole.subarray(0, whole.length / 2);
    const holed = Buffer.from(whole).fill(0xa5, 2 * 4096);
    const zeroed = Buffer.from(whole).fill(0, 2 * 4096);
    for (const content of [half, holed, zeroed, whole.subarray(0, 5000)]) {
      writeFileSync(file, content);
      await assert.rejects(openTestStore(folder), (error) => isAltNetError(error, 'STORE_DAMAGED'));
    }
    writeFileSync(file, whole);
    await using again = await openTestStore(folder);
    assert.equal(again.blocks.stats().blocks, 200);
  });

  test('with single damaged bytes is never a fault of the program', async (t) => {
    const folder = temporaryFolder(t);
    const store = await openTestStore(folder);
    await putInto(store, sha256(utf8('a')), [{ hash: sha256(utf8('a')), bytes: utf8('a') }]);
    await store.close();
    const file = path.join(folder, 'store', 'index.mdb');
    const whole = readFileSync(file);
    // In place: where a whole file is written over another, the system waits for the disk each time.
    const fd = openSync(file, 'r+');
    atEnd(t, () => closeSync(fd));
    let refused = 0;
    for (let at = 0; at < whole.length; at += 7) {
      const sound = whole.subarray(at, at + 1);
      writeSync(fd, Uint8Array.of(~(sound[0] ?? 0)), 0, 1, at);
      if (inspectDatabaseFile(file).state === 'damaged') refused++;
      writeSync(fd, sound, 0, 1, at);
    }
    assert.equal(inspectDatabaseFile(file).state, 'sound');
    assert.ok(refused > 10, `${refused} of ${whole.length / 7} damaged bytes were noticed`);
  });

  test('of an older format is brought up to date, once and as a whole', async (t) => {
    const folder = temporaryFolder(t);
    claimFolder(folder).release();
    const file = path.join(folder, 'old.mdb');
    const old = openEnvironment({ folder, file, timers: systemWorld.timers, log: silentLogger });
    const animals = old.table('animals');
    await old.commit((changes) => {
      changes.put(animals, { key: utf8('cat'), value: utf8('1') });
      changes.put(old.table('meta'), {
        key: utf8('schema-version'),
        value: Uint8Array.of(0, 0, 0, 1),
      });
    });
    const steps = new Map<number, Migration>([
      [2, (table) => table('animals').putSync(utf8('dog'), Buffer.from('2'))],
      [3, (table) => table('animals').removeSync(utf8('cat'))],
    ]);
    const options = { folder, log: silentLogger, to: 3, steps };
    migrate(old, options);
    assert.equal(animals.get(utf8('cat')), undefined);
    assert.equal(animals.get(utf8('dog'))?.toString(), '2');
    await old.commit((changes) => changes.remove(animals, utf8('dog')));
    migrate(old, options);
    assert.equal(animals.get(utf8('dog')), undefined, 'a migration must not run twice');
    await old.close();
  });

  test('of a newer format is refused with both versions', async (t) => {
    const folder = temporaryFolder(t);
    await (await openTestStore(folder)).close();
    const file = path.join(folder, 'store', 'index.mdb');
    const root = open<Buffer, Uint8Array>({ path: file, noSubdir: true, encoding: 'binary' });
    const options = { name: 'meta', encoding: 'binary', keyEncoding: 'binary' } as const;
    const meta = root.openDB<Buffer, Uint8Array>(options);
    await meta.put(utf8('schema-version'), Buffer.of(0, 0, 0, 99));
    await root.close();
    await assert.rejects(openTestStore(folder), (error) => {
      assert.ok(isAltNetError(error, 'STORE_TOO_NEW'));
      assert.deepEqual([error.details.have, error.details.want], [99, schemaVersion]);
      return true;
    });
  });
});

describe('a full disk', () => {
  test('refuses what does not fit, keeps the rest, and works again with space', async (t) => {
    const mount = smallDisk(t);
    if (mount !== undefined) await fillAndFree(mount);
  });

  test('is a smaller budget: what was only visited goes first', async (t) => {
    const mount = smallDisk(t);
    if (mount === undefined) return;
    await using store = await openTestStore(mount);
    const roots = Array.from({ length: 12 }, (_, i) => sha256(utf8(String(i))));
    for (const root of roots) {
      const blocks = Array.from({ length: 10 }, (_, i) =>
        Buffer.concat([root, Buffer.alloc(200_000, i)]),
      );
      await putInto(
        store,
        root,
        blocks.map((bytes) => ({ hash: sha256(bytes), bytes })),
      );
    }
    const held = roots.map((root) => store.holdings.get(root) !== undefined);
    assert.ok(held.at(-1) && !held[0], String(held));
    await using holding = await store.holdings.open({ kind: 'own' });
    await holding.reserve(6_000_000);
    await assert.rejects(holding.reserve(20_000_000), (error) => isAltNetError(error, 'DISK_FULL'));
  });
});

/** A file system of 16 MiB; undefined, and the test skipped, where none can be mounted. */
function smallDisk(t: TestContext): string | undefined {
  const mount = path.join(temporaryFolder(t), 'small');
  mkdirSync(mount);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', mount], { stdio: 'ignore' });
  } catch {
    t.skip('a small file system can be mounted by root only');
    return undefined;
  }
  atEnd(t, () => execFileSync('umount', ['-l', mount]));
  return mount;
}

async function fillAndFree(mount: string): Promise<void> {
  await using store = await openTestStore(mount);
  const ballast = path.join(mount, 'ballast');
  writeFileSync(ballast, Buffer.alloc(4_000_000));
  const kept: Uint8Array[] = [];
  const putUntilFull = async (size: number): Promise<void> => {
    for (let i = 0; i < 20_000; i++) {
      const bytes = Buffer.alloc(size, `${size}/${kept.length}`);
      try {
        await putOwn(store, bytes);
        kept.push(bytes);
      } catch (error) {
        assert.ok(isAltNetError(error, 'DISK_FULL'), String(error));
        return;
      }
    }
    assert.fail('the disk never filled up');
  };
  await putUntilFull(200_000);
  await putUntilFull(3000);
  const [first, ...others] = kept;
  assert.ok(first);
  await store.holdings.remove(sha256(first));
  kept.splice(0, kept.length, ...others);
  const full = store.blocks.stats();
  const freed = statSync(ballast).size;
  writeFileSync(ballast, '');
  const more = Buffer.alloc(freed / 4, 'more');
  await putOwn(store, more);
  kept.push(more);
  assert.deepEqual(store.blocks.stats(), {
    blocks: full.blocks + 1,
    bytes: full.bytes + more.length,
  });
  for (const bytes of kept) {
    assert.ok(Buffer.from(bytes).equals(store.blocks.get(sha256(bytes)) ?? Buffer.alloc(0)));
  }
}

/** A value of its own, which nothing may evict. */
async function putOwn(store: Store, bytes: Uint8Array): Promise<void> {
  const link = { codec: 'raw', hash: sha256(bytes) } as const;
  await using holding = await store.holdings.open({ kind: 'own', root: link });
  await holding.putAll([{ hash: link.hash, bytes }]);
  await holding.complete({ link, files: 1, bytes: bytes.length });
}
