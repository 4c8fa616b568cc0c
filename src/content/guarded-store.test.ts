import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryBlocks, MemoryHoldings } from '../../test/support/memory-blocks.ts';
import { SwitchedDenials } from '../../test/support/switched-denials.ts';
import { type Bytes, utf8 } from '../base/bytes.ts';
import { noDenials } from '../base/denial.ts';
import { sha256 } from '../base/hash.ts';
import type { Link } from './dag/root.ts';
import { guardedStore } from './guarded-store.ts';
import type { Block, Holding, HoldingKind } from './ports.ts';

const blockOf = (text: string): Block => ({ hash: sha256(utf8(text)), bytes: utf8(text) });
const [good, bad] = [blockOf('good'), blockOf('bad')];
const linkOf = ({ hash }: Block): Link => ({ codec: 'raw', hash });
const blocked = { code: 'CONTENT_BLOCKED' } as const;

interface Bench {
  readonly store: MemoryHoldings;
  readonly guarded: ReturnType<typeof guardedStore>;
  readonly denials: SwitchedDenials;
  /** As nobody is kept from it. */
  readonly hold: (block: Block, kind?: HoldingKind) => Promise<void>;
}

function setUp(): Bench {
  const store = new MemoryHoldings(new MemoryBlocks());
  const denials = new SwitchedDenials();
  const guarded = guardedStore({ blocks: store.blocks, holdings: store }, denials);
  const hold = async (block: Block, kind: HoldingKind = 'own'): Promise<void> => {
    await using holding = await store.open({ kind, root: linkOf(block) });
    await holding.putAll([block]);
    await holding.complete({ link: linkOf(block), files: 1, bytes: block.bytes.length });
  };
  return { store, guarded, denials, hold };
}

/** Ends without a word, like a writer that failed. */
async function writing(
  { guarded }: Bench,
  work: (holding: Holding) => Promise<unknown>,
): Promise<void> {
  await using holding = await guarded.holdings.open({ kind: 'own' });
  await work(holding);
}

test('without denials it is the store itself', () => {
  const { store } = setUp();
  const parts = { blocks: store.blocks, holdings: store };
  assert.deepEqual(guardedStore(parts, noDenials), parts);
});

test('a denied block is not here', async () => {
  const { guarded, denials, hold, store } = setUp();
  await hold(good);
  await hold(bad);
  denials.denyBlock(bad.hash);
  const { blocks, holdings } = guarded;
  assert.deepEqual([blocks.has(good.hash), blocks.has(bad.hash)], [true, false]);
  assert.deepEqual([blocks.get(good.hash), blocks.get(bad.hash)], [good.bytes, undefined]);
  assert.equal(holdings.get(bad.hash), undefined);
  assert.deepEqual(holdings.get(good.hash), store.get(good.hash));
  assert.deepEqual(
    [...holdings.list()].map(({ hash }) => hash),
    [good.hash],
  );
  await holdings.remove(bad.hash); // of all things it can be let go of
  assert.equal(store.get(bad.hash), undefined);
});

test('a denied root is not opened', async () => {
  const { guarded, denials, store } = setUp();
  denials.denyBlock(bad.hash, 'revoked');
  const open = guarded.holdings.open({ kind: 'visited', root: linkOf(bad) });
  await assert.rejects(open, { code: 'CONTENT_REVOKED' });
  assert.deepEqual([...store.list()], []);
  await (await guarded.holdings.open({ kind: 'visited', root: linkOf(good) })).close();
});

test('nothing that is denied is written, nor anything with it', async () => {
  const bench = setUp();
  bench.denials.denyBlock(bad.hash);
  const all = writing(bench, (holding) => holding.putAll([good, bad]));
  await assert.rejects(all, blocked);
  assert.equal(bench.store.blocks.size, 0);
  await writing(bench, (holding) => holding.putAll([good]));
});

test('nor made complete once it has come to be denied', async () => {
  const bench = setUp();
  const done = writing(bench, async (holding) => {
    await holding.putAll([bad]);
    bench.denials.denyBlock(bad.hash);
    await holding.complete({ link: linkOf(bad), files: 1, bytes: 3 });
  });
  await assert.rejects(done, blocked);
  assert.equal(bench.store.get(bad.hash), undefined);
});

test('a denied block is not named for anything: it counts as lost', async () => {
  const bench = setUp();
  await bench.hold(good);
  await bench.hold(bad);
  const adopt = async (...hashes: readonly Bytes[]): Promise<readonly Bytes[]> => {
    let lost: readonly Bytes[] = [];
    await writing(bench, async (holding) => (lost = await holding.adopt(hashes)));
    return lost;
  };
  const unknown = blockOf('unknown').hash;
  assert.deepEqual(await adopt(good.hash, bad.hash, unknown), [unknown]);
  bench.denials.denyBlock(bad.hash);
  assert.deepEqual(await adopt(good.hash, bad.hash, unknown), [unknown, bad.hash]);
  assert.deepEqual(await adopt(good.hash), []);
});
