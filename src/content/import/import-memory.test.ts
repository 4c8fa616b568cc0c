import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Bytes } from '../../base/bytes.ts';
import { sha256 } from '../../base/hash.ts';
import { manualWorld } from '../../../test/support/manual-world.ts';
import { ImportMemory, type ImportNotes, type KnownFile } from './import-memory.ts';

class MemoryNotes implements ImportNotes {
  readonly values = new Map<string, Bytes>();
  written = 0;

  get(name: string): Bytes | undefined {
    return this.values.get(name);
  }

  put(name: string, value: Bytes): Promise<void> {
    this.written++;
    this.values.set(name, value.slice());
    return Promise.resolve();
  }

  removeAll(names: readonly string[]): Promise<void> {
    for (const name of names) this.values.delete(name);
    return Promise.resolve();
  }

  get bytes(): number {
    return [...this.values.values()].reduce((sum, { length }) => sum + length, 0);
  }
}

function filesOf(count: number, seed = 0): Map<string, KnownFile> {
  const hash = sha256(Uint8Array.of(seed));
  return new Map(
    Array.from({ length: count }, (_, i) => {
      const depth = i % 3 === 2 ? 3 : 1;
      const codec = depth === 1 ? ('raw' as const) : ('dag-pb' as const);
      return [String(i).padStart(16, '·'), { codec, hash, depth, total: i * 2 ** 20 }];
    }),
  );
}

test('what is remembered is recalled, from another instance too', async () => {
  const notes = new MemoryNotes();
  const { clock } = manualWorld();
  const files = filesOf(2500);
  await new ImportMemory(notes, clock).remember('/site', files);
  const recalled = await new ImportMemory(notes, clock).recall('/site');
  for (const [stamp, file] of files) {
    const { hash, ...rest } = recalled.find(stamp, 7) ?? assert.fail('forgotten');
    assert.deepEqual({ ...rest, hash: new Uint8Array(hash) }, { ...file, size: 7 });
  }
  const other = 'another'.padStart(16, '·');
  assert.equal(recalled.find(other, 7), undefined);
  assert.equal((await new ImportMemory(notes, clock).recall('/other')).find(other, 7), undefined);
});

test('only pieces that changed are written, and what is gone goes', async () => {
  const notes = new MemoryNotes();
  const memory = new ImportMemory(notes, manualWorld().clock);
  const files = filesOf(5000);
  await memory.remember('/site', files);
  const before = notes.written;
  const changed = new Map(
    [...files].map(([stamp, file], i) =>
      i === 4321 ? ([stamp, { ...file, total: 1 }] as const) : ([stamp, file] as const),
    ),
  );
  await memory.remember('/site', changed);
  assert.equal(notes.written, before + 2); // the list of folders and one piece
  await memory.remember('/site', filesOf(10));
  assert.equal(notes.values.size, 2);
  await memory.remember('/site', new Map());
  assert.equal(notes.bytes, 0);
});

test('the folder that was used longest ago is forgotten when there is no room', async () => {
  const notes = new MemoryNotes();
  const world = manualWorld();
  const memory = new ImportMemory(notes, world.clock);
  const stamp = [...filesOf(1).keys()][0] ?? '';
  const knows = async (path: string): Promise<boolean> =>
    (await memory.recall(path)).find(stamp, 7) !== undefined;
  for (let i = 0; i < 70; i++) {
    await memory.remember(`/site/${i}`, filesOf(1));
    world.advance(1000);
    if (i === 60) await memory.remember('/site/0', filesOf(1));
  }
  assert.equal(await knows('/site/0'), true);
  assert.equal(await knows('/site/1'), false);
  assert.equal(await knows('/site/69'), true);
  await memory.remember('/large', filesOf(150_000));
  await memory.remember('/huge', filesOf(200_000));
  await memory.remember('/more', filesOf(200_000, 1));
  assert.equal(await knows('/large'), false);
  assert.equal(await knows('/huge'), true);
  assert.ok(notes.bytes < 25_000_000);
});

test('notes that cannot be read are as good as none', async () => {
  const notes = new MemoryNotes();
  const memory = new ImportMemory(notes, manualWorld().clock);
  await memory.remember('/site', filesOf(3));
  const [first = ''] = filesOf(1).keys();
  for (const [name, value] of notes.values) {
    for (const damaged of [new Uint8Array(), value.slice(0, -1), new Uint8Array(1000).fill(255)]) {
      notes.values.set(name, damaged);
      await memory.recall('/site');
      await memory.remember('/site', filesOf(3));
      assert.equal((await memory.recall('/site')).find(first, 7)?.depth, 1);
    }
    notes.values.set(name, value);
  }
});
