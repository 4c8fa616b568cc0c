import assert from 'node:assert/strict';
import { linkSync, mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import * as fc from 'fast-check';
import type { Bytes } from '../../base/bytes.ts';
import type { Clock } from '../../base/clock.ts';
import { temporaryFolder } from '../../../test/support/cleanup.ts';
import { MemoryBlocks } from '../../../test/support/memory-blocks.ts';
import { chunkBytes } from '../dag/build.ts';
import { type Imported, importPath } from './import.ts';
import { ImportMemory } from './import-memory.ts';
import type { Likeness } from '../ports.ts';
import { missingOf } from '../dag/missing.ts';
import { hashKey } from '../dag/root.ts';

/** Files that were written just now count as old. */
const later: Clock = { unixMs: () => Date.now() + 60_000, monotonicMs: () => performance.now() };

class Publisher {
  readonly blocks = new MemoryBlocks();
  readonly #notes = new Map<string, Bytes>();
  readonly #memory: ImportMemory;
  readonly #clock: Clock;
  readonly adopted = new Set<string>();
  /** How often it was said which version is most alike. */
  likenesses = 0;
  /** By root, what was adopted or written for it. */
  readonly #named = new Map<string, ReadonlySet<string>>();

  constructor(clock: Clock = later) {
    this.#clock = clock;
    const notes = {
      get: (name: string) => this.#notes.get(name),
      putAll: (all: readonly { readonly name: string; readonly value: Bytes }[]) => {
        for (const { name, value } of all) this.#notes.set(name, value);
        return Promise.resolve();
      },
      removeAll: (names: readonly string[]) => {
        for (const name of names) this.#notes.delete(name);
        return Promise.resolve();
      },
    };
    this.#memory = new ImportMemory(notes, clock);
  }

  /** What was written by it is in `blocks.written`. */
  async publish(folder: string): Promise<Imported> {
    this.blocks.written.length = 0;
    this.adopted.clear();
    const { blocks } = this;
    const holding = {
      putAll: blocks.putAll.bind(blocks),
      reserve: () => Promise.resolve(),
      adopt: (hashes: Iterable<Bytes>, { like }: { readonly like?: Likeness | undefined } = {}) => {
        this.adopted.clear(); // of an attempt that did not do
        for (const hash of hashes) this.adopted.add(hashKey(hash));
        if (like) this.#checkLikeness(like);
        return blocks.adopt(hashes);
      },
    };
    const known = { memory: this.#memory, blocks };
    const imported = await importPath(holding, folder, { known, clock: this.#clock });
    const written = blocks.written.map(hashKey);
    this.#named.set(hashKey(imported.root.hash), new Set([...this.adopted, ...written]));
    return imported;
  }

  /** What is adopted, and what is not, are together what the version before named. */
  #checkLikeness({ root, without }: Likeness): void {
    this.likenesses++;
    const gone = without.map(hashKey);
    for (const one of gone) assert.ok(!this.adopted.has(one), 'it is wanted');
    assert.deepEqual(new Set([...this.adopted, ...gone]), this.#named.get(hashKey(root)));
  }

  /** The same by somebody who has never seen the folder; all of it must be here. */
  async check({ root }: Imported, folder: string): Promise<void> {
    const expected = await importPath(new MemoryBlocks(), folder);
    assert.deepEqual(new Uint8Array(root.hash), new Uint8Array(expected.root.hash));
    await this.holds({ root });
  }

  async holds({ root }: Pick<Imported, 'root'>): Promise<void> {
    const want = { link: root, level: 0, path: [], scope: 'all' as const };
    for await (const _ of missingOf(this.blocks, want)) assert.fail('a block is missing');
  }
}

function makeSite(t: TestContext): string {
  const folder = temporaryFolder(t);
  for (let i = 0; i < 30; i++) {
    const at = path.join(folder, `d${i % 3}`, `f${i}`);
    mkdirSync(path.dirname(at), { recursive: true });
    writeFileSync(at, `content of ${i}`);
  }
  writeFileSync(path.join(folder, 'large'), new Uint8Array(3 * chunkBytes + 5).fill(1));
  return folder;
}

test('of a folder that is published again only what changed is read', async (t) => {
  const folder = makeSite(t);
  const publisher = new Publisher();
  const first = await publisher.publish(folder);
  assert.equal(publisher.adopted.size, 0);
  writeFileSync(path.join(folder, 'd1/f7'), 'another content');
  const second = await publisher.publish(folder);
  await publisher.check(second, folder);
  assert.notDeepEqual(second.root.hash, first.root.hash);
  assert.equal(second.bytes - first.bytes, 'another content'.length - 'content of 7'.length);
  // One file, and the nodes of two folders.
  assert.equal(publisher.blocks.written.length, 3);
  assert.equal(publisher.likenesses, 1);
});

const chunk = (fill: number): Uint8Array => new Uint8Array(chunkBytes).fill(fill);

test('the store is told what goes, whoever else has the same content', async (t) => {
  const folder = makeSite(t);
  const publisher = new Publisher();
  const put = (name: string, ...parts: readonly Uint8Array[]): void => {
    writeFileSync(path.join(folder, name), Buffer.concat(parts));
  };
  put('d0/large', chunk(1), chunk(2), chunk(3));
  put('d1/part of it', chunk(2));
  put('d2/another part', chunk(3));
  put('d2/twin', Buffer.from('content of 4'));
  await publisher.publish(folder);
  rmSync(path.join(folder, 'd1'), { recursive: true });
  put('d2/another part', chunk(4));
  await publisher.check(await publisher.publish(folder), folder);
  put('d0/large', chunk(1), chunk(4));
  rmSync(path.join(folder, 'd2/twin'));
  await publisher.check(await publisher.publish(folder), folder);
  for (let i = 0; i < 4200; i++) put(`d2/many ${i}`, Buffer.from(`${i}`));
  await publisher.check(await publisher.publish(folder), folder);
  assert.equal(publisher.likenesses, 3);
  rmSync(path.join(folder, 'd2'), { recursive: true });
  await publisher.check(await publisher.publish(folder), folder);
  assert.equal(publisher.likenesses, 3, 'too much is gone');
});

test('blocks that were lost meanwhile are made again', async (t) => {
  const folder = makeSite(t);
  const publisher = new Publisher();
  await publisher.publish(folder);
  for (const hash of publisher.blocks.hashes()) {
    publisher.blocks.delete(Buffer.from(hash, 'hex'));
    await publisher.check(await publisher.publish(folder), folder);
  }
});

test('whatever is lost of a folder in a folder, a sharded one too, is made again', async (t) => {
  const folder = temporaryFolder(t);
  mkdirSync(path.join(folder, 'above/sharded'), { recursive: true });
  for (let i = 0; i < 1200; i++) {
    const name = `${i} `.padEnd(200, 'x');
    writeFileSync(path.join(folder, 'above/sharded', name), `content of ${i % 300}`);
  }
  for (const name of ['above/x', 'above/sharded-not/y', 'z']) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), new Uint8Array(chunkBytes + 1).fill(name.length));
  }
  const publisher = new Publisher();
  const first = await publisher.publish(folder);
  await publisher.check(first, folder);
  const all = publisher.blocks.hashes();
  for (const hash of all.filter((_, i) => i % 193 === 0 || i > all.length - 12)) {
    publisher.blocks.delete(Buffer.from(hash, 'hex'));
    const again = await publisher.publish(folder);
    assert.deepEqual(again.root.hash, first.root.hash);
    await publisher.holds(again);
    await publisher.publish(folder);
    assert.deepEqual(publisher.blocks.written, [], 'nothing is read, nothing is made');
    assert.equal(publisher.adopted.size, all.length);
  }
});

test('a file that takes the place of one of its size and time is read', async (t) => {
  const folder = makeSite(t);
  const publisher = new Publisher();
  const [at, other] = [path.join(folder, 'd1/f7'), path.join(folder, '.other')];
  utimesSync(at, 1000, 1000);
  await publisher.publish(folder);
  writeFileSync(other, 'content of X');
  utimesSync(other, 1000, 1000);
  renameSync(other, at);
  await publisher.check(await publisher.publish(folder), folder);
  writeFileSync(other, 'content of Y');
  utimesSync(other, 1000, 1000);
  rmSync(at);
  linkSync(other, at); // two names of one file
  linkSync(other, path.join(folder, 'd2/f8b'));
  await publisher.check(await publisher.publish(folder), folder);
});

test('a file that was changed a moment ago is read again', async (t) => {
  const folder = makeSite(t);
  const now: Clock = { unixMs: () => Date.now() - 60_000, monotonicMs: () => performance.now() };
  const publisher = new Publisher(now);
  await publisher.publish(folder);
  await publisher.publish(folder);
  assert.equal(publisher.adopted.size, 0);
});

test('whatever happens to a folder, the root is that of a first import', async (t) => {
  const name = fc.constantFrom('a', 'b', 'sub/a', 'sub/b', 'sub/deeper/a');
  const change = fc.oneof(
    fc.record({
      kind: fc.constant('write' as const),
      name,
      bytes: fc.constantFrom(0, 1, 9, chunkBytes + 1),
    }),
    fc.record({ kind: fc.constant('remove' as const), name }),
    fc.record({ kind: fc.constant('rename' as const), name, to: name }),
  );
  let count = 0;
  for (const changes of fc.sample(fc.array(change, { minLength: 5, maxLength: 25 }), {
    numRuns: 6,
    seed: 4,
  })) {
    const folder = makeSite(t);
    const publisher = new Publisher();
    for (const one of changes) {
      const at = path.join(folder, one.name);
      mkdirSync(path.dirname(at), { recursive: true });
      // Sizes differ, as the times of two writes that follow at once may not.
      if (one.kind === 'write') writeFileSync(at, new Uint8Array(one.bytes + (++count % 97)));
      if (one.kind === 'remove') rmSync(at, { force: true });
      if (one.kind === 'rename') {
        const to = path.join(folder, one.to);
        mkdirSync(path.dirname(to), { recursive: true });
        rmSync(to, { force: true });
        writeFileSync(at, 'moved');
        renameSync(at, to);
      }
      await publisher.check(await publisher.publish(folder), folder);
    }
  }
});
