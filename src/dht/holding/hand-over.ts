/**
 * What a node that leaves does for the records that it holds. In a network of some size nothing is
 * needed: others hold the same, and who takes its place fetches them from those. Among few, a
 * record may not have got around yet; it is offered to others while there is time.
 */
import { forEachOf } from '../../base/parallel.ts';
import type { Contact } from '../../identity/contact.ts';
import type { StoredRecord } from '../ports.ts';
import type { Caller } from '../table/caller.ts';
import type { Copies } from './copies.ts';
import type { Storage } from './storage.ts';

/** Records that are offered, of so many that are looked at … */
const recordsMax = 64;
const lookedMax = 1024;
/** … each to so many … */
const takersMax = 3;
/** … and so many at a time. */
const atOnce = 16;

export interface HandOverDeps {
  readonly storage: Pick<Storage, 'entries' | 'isGiven'>;
  readonly caller: Pick<Caller, 'call'>;
  readonly copies: Copies;
  /** The contacts that we know nearest to a key, nearest first. */
  readonly closest: (key: StoredRecord['record']['key'], count: number) => readonly Contact[];
}

/** Those first of which the fewest copies are known. Resolves when `signal` aborts, or before. */
export async function handOver(
  { storage, caller, copies, closest }: HandOverDeps,
  signal: AbortSignal,
): Promise<void> {
  const held: StoredRecord[] = []; // BOUNDED by lookedMax
  for (const { stored } of storage.entries()) {
    if (storage.isGiven(stored)) held.push(stored);
    if (held.length >= lookedMax) break;
  }
  const offers = held
    .map((stored) => ({ stored, copies: copies.countOf(stored.record.hash) }))
    .toSorted((a, b) => a.copies - b.copies)
    .slice(0, recordsMax)
    .flatMap(({ stored: { record } }) =>
      closest(record.key, takersMax)
        .filter(({ id }) => !copies.has(record.hash, id))
        .map((to) => ({ to, record })),
    );
  await forEachOf(offers, atOnce, async ({ to, record }) => {
    if (signal.aborted) return;
    const request = { method: 'store', record: record.bytes } as const;
    await caller.call(to, request, signal).catch(() => undefined);
  });
}
