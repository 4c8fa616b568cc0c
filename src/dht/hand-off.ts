/**
 * What this node holds that another one should hold as well, in pages: the answer to SYNC. Who asks
 * is judged by the ID that its handshake proved, so nobody can read a store through it that is not
 * near to it anyway.
 */
import { type Bytes, compareBytes, concatBytes } from '../base/bytes.ts';
import type { Contact } from '../identity/contact.ts';
import { distanceShare, sameId } from './distance.ts';
import type { SyncEntry, SyncReply } from './ports.ts';
import { isInSigma, type SigmaSize } from './sigma.ts';
import type { Storage } from './storage.ts';

/** What fits a reply. */
const entriesMax = 22;
/** Keys looked at for one page: what an asker can make us do is bounded. */
const keysMax = 4096;
const keyBytes = 32;
const idBytes = 16;

export interface HandOffDeps {
  readonly storage: Pick<Storage, 'keys' | 'list'>;
  /** So many of the contacts that we know nearest to a key, nearest first. */
  readonly closest: (key: Bytes, count: number) => readonly Contact[];
  readonly sigmaSize: () => SigmaSize;
}

/** The entries after `after` (key ‖ hash, 48 bytes) that `asker` should hold. */
export function handOffPage(
  asker: Bytes,
  after: Bytes,
  { storage, closest, sigmaSize }: HandOffDeps,
): SyncReply {
  const size = sigmaSize();
  const [from, to] = regionOf(asker, size);
  const start = after.subarray(0, keyBytes);
  const entries: SyncEntry[] = [];
  let looked = 0;
  for (const key of storage.keys(compareBytes(start, from) > 0 ? start : from)) {
    const page = (more: boolean): SyncReply => ({ method: 'sync', entries, more });
    if (compareBytes(key, to) > 0) break;
    if (++looked > keysMax) return page(entries.length > 0);
    if (!belongsTo(asker, key)) continue;
    for (const entry of entriesOf(key, storage)) {
      if (compareBytes(concatBytes(entry.key, entry.hash), after) <= 0) continue;
      if (entries.length === entriesMax) return page(true);
      entries.push(entry);
    }
  }
  return { method: 'sync', entries, more: false };

  function belongsTo(id: Bytes, key: Bytes): boolean {
    if (distanceShare(id, key) <= size.radius) return true;
    // Outside the radius it belongs to Σ only as one of the `least` nearest.
    const others = closest(key, size.least + 1).filter((contact) => !sameId(contact.id, id));
    return isInSigma(id, { key, others, size });
  }
}

function entriesOf(key: Bytes, storage: HandOffDeps['storage']): readonly SyncEntry[] {
  return storage
    .list(key)
    .map(({ record }) => ({ key, hash: record.hash.slice(0, idBytes) }))
    .toSorted((a, b) => compareBytes(a.hash, b.hash));
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
