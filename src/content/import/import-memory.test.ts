import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Bytes } from '../../base/bytes.ts';
import { sha256 } from '../../base/hash.ts';
import { manualWorld } from '../../../test/support/manual-world.ts';
import { ImportMemory, type ImportNotes } from './import-memory.ts';
import { RowWriter } from './known-rows.ts';

class MemoryNotes implements ImportNotes {
  readonly values = new Map<string, Bytes>();
  written = 0;
  commits = 0;
  /** What happens then, by the last part of the name. */
  readonly onceRead = new Map<string, () => void>();

  get(name: string): Bytes | undefined {
    const value = this.values.get(name);
    const last = name.split('/').at(-1) ?? '';
    const then = this.onceRead.get(last);
    this.onceRead.delete(last);
    then?.();
    return value;
  }

  putAll(notes: readonly { readonly name: string; readonly value: Bytes }[]): Promise<void> {
    this.commits++;
    this.written += notes.length;
    for (const { name, value } of notes) this.values.set(name, value.slice());
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

const root = sha256(Uint8Array.of(1));
const pathStamp = '/site'.padStart(16, '·');
const hash = sha256(Uint8Array.of(2));

/** A folder of so many files: two rows more than these. */
function siteOf(count: number, changed = -1): { root: Bytes; rows: Bytes } {
  const writer = new RowWriter();
  const folder = writer.folder(
    { pathStamp, shards: [] },
    { codec: 'dag-pb', hash, total: 1, depth: 2 },
  );
  for (let i = 0; i < count; i++) {
    const total = i === changed ? 1 : i * 2 ** 20;
    const depth = i % 3 === 2 ? 3 : 1;
    const codec = depth === 1 ? 'raw' : 'dag-pb';
    writer.entry(String(i).padStart(16, '·'), { codec, hash, depth, total });
  }
  folder.finish({ stamp: 'folder'.padStart(16, '·'), files: count, nodes: 1 });
  return { root, rows: writer.written };
}

async function filesOf(memory: ImportMemory, path: string): Promise<number> {
  const { rows } = await memory.recall(path);
  return rows.top?.files ?? 0;
}

test('what is remembered is recalled, from another instance too', async () => {
  const notes = new MemoryNotes();
  const { clock } = manualWorld();
  await new ImportMemory(notes, clock).remember('/site', siteOf(2500));
  const { root: said, rows } = await new ImportMemory(notes, clock).recall('/site');
  assert.deepEqual(new Uint8Array(said ?? []), root);
  const top = rows.top ?? assert.fail('forgotten');
  assert.deepEqual([top.pathStamp, top.files, top.rows, top.nodes], [pathStamp, 2500, 2502, 1]);
  assert.deepEqual([...rows.foldersOf(top)], []);
  const files = [...rows.filesOf(top)];
  assert.equal(files.length, 2500);
  for (const [i, { stamp, built }] of files.entries()) {
    const depth = i % 3 === 2 ? 3 : 1;
    const codec = depth === 1 ? 'raw' : 'dag-pb';
    assert.equal(stamp, String(i).padStart(16, '·'));
    const expected = { codec, depth, total: i * 2 ** 20, hash };
    assert.deepEqual({ ...built, hash: new Uint8Array(built.hash) }, expected);
  }
  assert.equal(await filesOf(new ImportMemory(notes, clock), '/other'), 0);
});

test('only pieces that changed are written, and what is gone goes', async () => {
  const notes = new MemoryNotes();
  const memory = new ImportMemory(notes, manualWorld().clock);
  await memory.remember('/site', siteOf(5000));
  const before = notes.written;
  await memory.remember('/site', siteOf(5000, 4321));
  assert.equal(notes.written, before + 2); // the list of folders and one piece
  assert.equal(notes.commits, 2, 'a crash leaves rows of one import, not of two');
  await memory.remember('/site', siteOf(10));
  assert.equal(notes.values.size, 2);
  await memory.remember('/site', { root, rows: new Uint8Array() });
  assert.equal(notes.bytes, 0);
});

test('rows that another import remembers while they are recalled are none', async () => {
  const notes = new MemoryNotes();
  const world = manualWorld();
  const memory = new ImportMemory(notes, world.clock);
  await memory.remember('/site', siteOf(3000));
  notes.onceRead.set('1', () => {
    world.advance(1);
    void memory.remember('/site', siteOf(3000, 2500));
  });
  assert.equal(await filesOf(memory, '/site'), 0);
  assert.equal(await filesOf(memory, '/site'), 3000);
});

test('the folder that was used longest ago is forgotten when there is no room', async () => {
  const notes = new MemoryNotes();
  const world = manualWorld();
  const memory = new ImportMemory(notes, world.clock);
  const knows = async (path: string): Promise<boolean> => (await filesOf(memory, path)) > 0;
  for (let i = 0; i < 70; i++) {
    await memory.remember(`/site/${i}`, siteOf(1));
    world.advance(1000);
    if (i === 60) await memory.remember('/site/0', siteOf(1));
  }
  assert.equal(await knows('/site/0'), true);
  assert.equal(await knows('/site/1'), false);
  assert.equal(await knows('/site/69'), true);
  await memory.remember('/large', siteOf(150_000));
  await memory.remember('/huge', siteOf(199_000));
  await memory.remember('/more', siteOf(199_000, 1));
  assert.equal(await knows('/large'), false);
  assert.equal(await knows('/huge'), true);
  assert.ok(notes.bytes < 25_000_000);
});

test('notes that cannot be read are as good as none', async () => {
  const notes = new MemoryNotes();
  const memory = new ImportMemory(notes, manualWorld().clock);
  await memory.remember('/site', siteOf(3000));
  for (const [name, value] of notes.values) {
    for (const damaged of [new Uint8Array(), value.slice(0, -1), new Uint8Array(1000).fill(255)]) {
      notes.values.set(name, damaged);
      const { rows } = await memory.recall('/site');
      for (const folder of rows.top ? rows.foldersOf(rows.top) : []) assert.ok(folder.rows > 1);
      await memory.remember('/site', siteOf(3000));
      assert.equal(await filesOf(memory, '/site'), 3000);
    }
    notes.values.set(name, value);
  }
});
