/**
 * What this node holds that another one should hold as well, in pages: the answer to SYNC. Who asks
 * is judged by the ID that its handshake proved, so nobody can read a store through it that is not
 * near to it anyway.
 */
import { type Bytes, compareBytes, equalBytes } from '../../base/bytes.ts';
import { distanceShare } from '../distance.ts';
import type { SyncEntry, SyncReply } from '../ports.ts';
import type { SigmaSize } from '../lookup/sigma.ts';
import type { Storage } from './storage.ts';

/** What fits a reply. */
const entriesMax = 22;
/** Keys looked at for one page: about 2 ms, of which an address may ask for 20 in a second. */
const keysMax = 512;
const keyBytes = 32;
const idBytes = 16;

export interface HandOffDeps {
  readonly storage: Pick<Storage, 'keys' | 'list'>;
  /** Whether we know fewer than `count` contacts that are nearer to the key than `id` is. */
  readonly isAmongNearest: (id: Bytes, key: Bytes, count: number) => boolean;
  readonly sigmaSize: () => SigmaSize;
}

/** The entries after `after` (key ‖ hash, 48 bytes) that `asker` should hold. */
export function handOffPage(
  asker: Bytes,
  after: Bytes,
  { storage, isAmongNearest, sigmaSize }: HandOffDeps,
): SyncReply {
  const size = sigmaSize();
  const [from, to] = regionOf(asker, size);
  const start = after.subarray(0, keyBytes);
  const startHash = after.subarray(keyBytes);
  const entries: SyncEntry[] = [];
  let looked = 0;
  for (const key of storage.keys(compareBytes(start, from) > 0 ? start : from)) {
    const page = (more: boolean): SyncReply => ({ method: 'sync', entries, more });
    if (compareBytes(key, to) > 0) break;
    if (++looked > keysMax) {
      // Who asks goes on from the last entry, so there must be one.
      if (entries.length < entriesMax) entries.push({ key, hash: new Uint8Array(idBytes) });
      return page(true);
    }
    if (!belongsTo(asker, key)) continue;
    const isStart = equalBytes(key, start);
    for (const entry of entriesOf(key, storage)) {
      if (isStart && compareBytes(entry.hash, startHash) <= 0) continue;
      if (entries.length === entriesMax) return page(true);
      entries.push(entry);
    }
  }
  return { method: 'sync', entries, more: false };

  /** Outside the radius only as one of the `least` nearest: see `isWithin`. */
  function belongsTo(id: Bytes, key: Bytes): boolean {
    return distanceShare(id, key) <= size.radius || isAmongNearest(id, key, size.least);
  }
}

function entriesOf(key: Bytes, storage: HandOffDeps['storage']): readonly SyncEntry[] {
  const entries = storage.list(key).map(({ record }) => ({
    key,
    hash: record.hash.subarray(0, idBytes),
  }));
  return entries.length > 1 ? entries.toSorted((a, b) => compareBytes(a.hash, b.hash)) : entries;
}

/**
 * The first and last key that an asker may belong to: four times as far as Σ's radius, as the
 * region may be thin there. All of them begin alike, so they stand together in the store.
 */
function regionOf(asker: Bytes, { radius }: SigmaSize): readonly [Bytes, Bytes] {
  const bits = Math.min(48, Math.max(0, Math.floor(-Math.log2(Math.min(1, radius * 4)))));
  const from = asker.slice();
  const to = asker.slice();
  for (let bit = bits; bit < asker.length * 8; bit++) {
    const mask = 0x80 >> (bit & 7);
    from[bit >> 3] = (from[bit >> 3] ?? 0) & ~mask;
    to[bit >> 3] = (to[bit >> 3] ?? 0) | mask;
  }
  return [from, to];
}
