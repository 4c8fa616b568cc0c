/** Holdings for tests of the store: roots and blocks that follow from a name. */
import { type Bytes, utf8 } from '../../src/base/bytes.ts';
import { isAltNetError } from '../../src/base/errors.ts';
import { sha256 } from '../../src/base/hash.ts';
import type { Block, NewHolding } from '../../src/content/ports.ts';
import type { Store } from '../../src/store/store.ts';

export function linkOf(name: string): { codec: 'raw'; hash: Bytes } {
  return { codec: 'raw', hash: sha256(utf8(name)) };
}

export function block(name: string, size: number): Block {
  const bytes = Buffer.alloc(size, name);
  return { hash: sha256(bytes), bytes };
}

export async function hold(
  store: Store,
  name: string,
  blocks: readonly Block[],
  { complete = true, ...what }: Partial<NewHolding> & { complete?: boolean } = {},
): Promise<void> {
  const link = linkOf(name);
  await using holding = await store.holdings.open({ kind: 'visited', root: link, ...what });
  await holding.putAll(blocks);
  if (complete) await holding.complete({ link, files: 1, bytes: 1 });
}

/** After each thing that it is asked, the store takes a step of what is to be done some time. */
export async function untilQuiet(store: Store, steps = 40): Promise<void> {
  const { hash } = linkOf('nothing');
  for (let step = 0; step < steps; step++) await store.holdings.change(hash, {});
}

export function isHeld(store: Store, name: string): boolean {
  return store.holdings.get(linkOf(name).hash) !== undefined;
}

/** What `counted` has to say, by way of the list. */
export function listedCounts(store: Store): ReturnType<Store['counted']> {
  const counts = { own: 0, replica: 0, visited: 0, incomplete: 0 };
  for (const { kind, complete } of store.holdings.list()) {
    counts[kind]++;
    if (!complete) counts.incomplete++;
  }
  return counts;
}

export function isFull(error: unknown): boolean {
  return isAltNetError(error, 'STORE_FULL');
}
