/**
 * Reads all records under a key. Where few are held, what the holders answer at once is all; where
 * one answer does not hold them, it goes on by digests: each holder lists what it has, and every
 * record not seen yet is fetched once, from one of those that listed it.
 */
import { type Bytes, toHex } from '../base/bytes.ts';
import type { Contact } from '../identity/contact.ts';
import type { SignedRecord } from '../record/envelope.ts';
import { recordKinds } from '../record/kinds.ts';
import type { LinkSearch } from './ports.ts';

export interface SearchTotals {
  readonly asked: number;
  readonly answered: number;
  /** Other nodes that answered: without any, nothing was learned. */
  readonly others: number;
}

/** Answers to merge: what one holder lacks or hides, another shows. */
const width = 8;
/** Holders that are asked for their lists. */
const listsMax = 12;
/** Records fetched by their digests: twice what an honest holder has under a key. */
const missingMax = 256;
/** Records that one holder is asked for in one go; two fit a request. */
const batchMax = 6;
/** A record is asked for again from another holder when the first does not hand it out. */
const triesMax = 3;

interface Abortable {
  readonly signal: AbortSignal | undefined;
}

/** Records as they come, each verified; some may come twice. Rejects when `signal` aborts. */
export async function* searchLinks(
  dht: LinkSearch,
  key: Bytes,
  { signal }: Abortable,
): AsyncGenerator<readonly SignedRecord[], SearchTotals> {
  const seen = new Set<string>(); // BOUNDED by the records of one search
  const lists: Promise<Listed>[] = []; // BOUNDED by listsMax
  let others = 0;
  // What this node holds may be behind, and another's word costs no more than a round trip.
  let own: readonly SignedRecord[] = [];
  const answers = dht.gather(key, { signal, kind: recordKinds.link, width, pagesMax: 1 });
  let end: Omit<SearchTotals, 'others'> = { asked: 0, answered: 0 };
  try {
    for (;;) {
      const step = await answers.next();
      if (step.done === true) {
        end = step.value;
        break;
      }
      const { from, records, more } = step.value;
      for (const record of records) seen.add(idOf(record));
      if (from === 'self') {
        own = records;
        continue;
      }
      others += 1;
      if (more && lists.length < listsMax) lists.push(listOf(dht, { from, key, signal }));
      yield [...records, ...own];
      own = [];
    }
  } finally {
    // Ends the requests under way; what a search that ends with a value is told does not matter.
    await answers.return(end);
  }
  if (own.length > 0) yield own;
  const missing = missingOf(await Promise.all(lists), seen);
  for (let tries = 0; tries < triesMax && missing.length > 0; tries++) {
    for await (const records of fetchAll(dht, { key, batches: batchesOf(missing), signal })) {
      for (const record of records) seen.add(idOf(record));
      yield records;
    }
    const left = missing.filter(({ id, holders }) => holders.length > 0 && !seen.has(toHex(id)));
    missing.splice(0, missing.length, ...left);
  }
  return { ...end, others };
}

/** What one holder says it has: first 16 bytes of record hashes. */
interface Listed {
  readonly from: Contact;
  readonly ids: readonly Bytes[];
}

async function listOf(
  dht: LinkSearch,
  { from, key, signal }: Abortable & { from: Contact; key: Bytes },
): Promise<Listed> {
  const digests = await dht.fetchDigests(from, key, { signal }).catch(() => []);
  return { from, ids: digests.map(({ hash }) => hash) };
}

interface Missing {
  readonly id: Bytes;
  /** Who listed it and was not asked for it yet; each is asked once. */
  readonly holders: Contact[];
}

/** What was listed and not seen; most often listed first, so that inventions of one come last. */
function missingOf(lists: readonly Listed[], seen: ReadonlySet<string>): Missing[] {
  const missing = new Map<string, Missing>(); // BOUNDED by the pages of listsMax holders
  for (const { from, ids } of lists) {
    for (const id of ids) {
      const name = toHex(id);
      if (seen.has(name)) continue;
      const entry = missing.get(name) ?? { id, holders: [] };
      missing.set(name, entry);
      if (entry.holders.at(-1) !== from) entry.holders.push(from);
    }
  }
  return [...missing.values()]
    .toSorted((a, b) => b.holders.length - a.holders.length)
    .slice(0, missingMax);
}

interface Batch {
  readonly from: Contact;
  readonly ids: Bytes[]; // BOUNDED by batchMax
}

/** Gives each missing record to the holder with the least to do, and takes that holder off it. */
function batchesOf(missing: readonly Missing[]): readonly Batch[] {
  const loads = new Map<Contact, Bytes[]>(); // BOUNDED by listsMax
  const loadOf = (holder: Contact): number => loads.get(holder)?.length ?? 0;
  for (const { id, holders } of missing) {
    const [from] = holders.toSorted((a, b) => loadOf(a) - loadOf(b));
    if (!from) continue;
    holders.splice(holders.indexOf(from), 1);
    loads.set(from, [...(loads.get(from) ?? []), id]);
  }
  return [...loads].flatMap(([from, ids]) =>
    Array.from({ length: Math.ceil(ids.length / batchMax) }, (_, i) => ({
      from,
      ids: ids.slice(i * batchMax, (i + 1) * batchMax),
    })),
  );
}

/** All batches at once, each answer as it comes; a holder that fails brings nothing. */
async function* fetchAll(
  dht: LinkSearch,
  { key, batches, signal }: Abortable & { key: Bytes; batches: readonly Batch[] },
): AsyncGenerator<readonly SignedRecord[]> {
  // BOUNDED by batches
  const pending = new Map<Batch, Promise<readonly [Batch, readonly SignedRecord[]]>>();
  const kind = recordKinds.link;
  for (const batch of batches) {
    const fetched = dht
      .fetchRecords(batch.from, key, batch.ids, { kind, signal })
      .catch((): readonly SignedRecord[] => []);
    pending.set(
      batch,
      fetched.then((records) => [batch, records] as const),
    );
  }
  while (pending.size > 0) {
    const [batch, records] = await Promise.race(pending.values());
    pending.delete(batch);
    signal?.throwIfAborted();
    yield records;
  }
}

function idOf({ hash }: SignedRecord): string {
  return toHex(hash.subarray(0, 16));
}
