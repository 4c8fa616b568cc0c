/**
 * A few storers in memory that judge, keep and return link records by the rules, for tests of what
 * stands on the link ports. Each can be switched to silence, refusal or lies.
 */
import { equalBytes, toHex, type Bytes } from '../../src/base/bytes.ts';
import type { Approach } from '../../src/dht/network-records.ts';
import type { Contact } from '../../src/identity/contact.ts';
import type {
  GatheredLinks,
  GatherLinksOptions,
  LinkNotes,
  LinkPublication,
  LinkPublisher,
  LinkSearch,
} from '../../src/link/ports.ts';
import { checkRecord, type Judging } from '../../src/record/acceptance.ts';
import { compareRecords, type SignedRecord } from '../../src/record/envelope.ts';
import {
  isStored,
  type RecordKind,
  type StoreStatus,
  storeStatuses,
} from '../../src/record/kinds.ts';
import { slotOf, storedKind } from '../../src/record/registry.ts';

interface Judged {
  readonly status: StoreStatus;
  readonly conflicting?: SignedRecord;
}

export class LinkStorer {
  readonly #records = new Map<string, SignedRecord>(); // BOUNDED by the test
  readonly #judging: () => Judging;
  /** Answers every STORE with this. */
  refuseWith: StoreStatus | undefined;
  /** Lists records and does not hand them out. */
  withholds = false;

  constructor(judging: () => Judging) {
    this.#judging = judging;
  }

  list(key: Bytes): SignedRecord[] {
    return [...this.#records.values()].filter((record) => equalBytes(record.key, key));
  }

  accept(record: SignedRecord): Judged {
    const status = this.refuseWith ?? checkRecord(record, this.#judging());
    if (!isStored(status)) return { status };
    const place = toHex(record.key) + toHex(slotOf(record));
    const known = this.#records.get(place);
    const order = known ? compareRecords(record, known) : 1;
    if (known && order < 0) return { status: storeStatuses.SEQ_OLD, conflicting: known };
    const mine = this.list(record.key).filter(
      (other) => other !== known && !other.tombstone && equalBytes(other.author, record.author),
    );
    const limit = storedKind(record.kind)?.perAuthorMax ?? 0;
    if (!record.tombstone && mine.length >= limit) return { status: storeStatuses.QUOTA_AUTHOR };
    this.#records.set(place, record);
    return { status: storeStatuses.OK };
  }
}

/** Somebody to ask, told apart from others by the number in its ID. */
export function contactOf(index: number): Contact {
  const id = new Uint8Array(32).fill(index + 1);
  return { id, publicKey: id, endpoint: { ip: Uint8Array.of(127, 0, 0, 1), port: 1 + index } };
}

export class LinkNet implements LinkSearch {
  readonly storers: LinkStorer[];
  /** Records that fit an answer. */
  pageSize = 3;
  /** Nobody can be asked. */
  cutOff = false;
  /** Requests to single storers: lists, and batches of records. */
  fetched = { digests: 0, records: 0 };
  readonly #contacts: readonly Contact[];
  /** How many searches were not read to their end. */
  brokenOff = 0;
  searches = 0;

  constructor(count: number, judging: () => Judging) {
    this.storers = Array.from({ length: count }, () => new LinkStorer(judging));
    this.#contacts = this.storers.map((_, index) => contactOf(index));
  }

  async *gather(
    key: Bytes,
    { signal, kind }: GatherLinksOptions,
  ): AsyncGenerator<GatheredLinks, { asked: number; answered: number }> {
    let done = false;
    this.searches += 1;
    const storers = this.cutOff ? [] : this.storers;
    try {
      for (const [index, storer] of storers.entries()) {
        await Promise.resolve();
        signal?.throwIfAborted();
        const all = storer.list(key).filter((record) => record.kind === kind);
        // Each storer begins with others, as real ones do.
        const records = [...all.slice(index), ...all.slice(0, index)].slice(0, this.pageSize);
        const from = this.#contacts[index] ?? 'self';
        yield { from, records, more: records.length < all.length };
      }
      done = true;
      return { asked: storers.length, answered: storers.length };
    } finally {
      if (!done) this.brokenOff += 1;
    }
  }

  async fetchDigests(from: Contact, key: Bytes): Promise<readonly { hash: Bytes }[]> {
    await Promise.resolve();
    this.fetched.digests += 1;
    return this.#storer(from)
      .list(key)
      .map(({ hash }) => ({ hash: hash.slice(0, 16) }));
  }

  async fetchRecords(
    from: Contact,
    key: Bytes,
    ids: readonly Bytes[],
  ): Promise<readonly SignedRecord[]> {
    await Promise.resolve();
    this.fetched.records += 1;
    const storer = this.#storer(from);
    if (storer.withholds) return [];
    return storer
      .list(key)
      .filter(({ hash }) => ids.some((id) => equalBytes(hash.subarray(0, 16), id)));
  }

  #storer(from: Contact): LinkStorer {
    const storer = this.storers[this.#contacts.indexOf(from)];
    if (!storer) throw new RangeError('nobody of this net');
    return storer;
  }

  store(record: SignedRecord): LinkPublication {
    const answers = this.storers.map((storer) => storer.accept(record));
    const refused = answers.filter(({ status }) => !isStored(status));
    const statuses = [...new Set(refused.map(({ status }) => status))];
    return {
      stored: answers.length - refused.length,
      asked: answers.length,
      refusals: statuses.map((status) => {
        const alike = refused.filter((answer) => answer.status === status);
        const conflicting = alike.flatMap((answer) => answer.conflicting ?? []);
        return { status, count: alike.length, conflicting };
      }),
    };
  }
}

/** One node's publisher: keeps its own list, stores with the net. */
export class MemoryLinkPublisher implements LinkPublisher {
  readonly #net: LinkNet;
  readonly #kept = new Map<string, SignedRecord>(); // BOUNDED by the test
  abandoned = 0;

  constructor(net: LinkNet) {
    this.#net = net;
  }

  approach(): Approach {
    // Nothing is to be found here; `publish` does all.
    return {
      place: (record) => Promise.resolve({ ...this.#net.store(record), holders: [] }),
      abandon: () => (this.abandoned += 1),
    };
  }

  async publish(
    record: SignedRecord,
    { signal }: { signal?: AbortSignal | undefined },
  ): Promise<LinkPublication> {
    await Promise.resolve();
    signal?.throwIfAborted();
    this.#kept.set(toHex(record.key) + toHex(slotOf(record)), record);
    return this.#net.store(record);
  }

  withdraw(
    tombstone: SignedRecord,
    options: { signal?: AbortSignal | undefined },
  ): Promise<LinkPublication> {
    return this.publish(tombstone, options);
  }

  under(key: Bytes): { record: SignedRecord }[] {
    return [...this.#kept.values()]
      .filter((record) => equalBytes(record.key, key) && !record.tombstone)
      .map((record) => ({ record }));
  }

  list(kind: RecordKind): { record: SignedRecord }[] {
    return [...this.#kept.values()]
      .filter((record) => record.kind === kind && !record.tombstone)
      .map((record) => ({ record }));
  }
}

export class MemoryNotes implements LinkNotes {
  readonly values: Map<string, Bytes> = new Map(); // BOUNDED by the test

  get(name: string): Bytes | undefined {
    return this.values.get(name);
  }

  put(name: string, value: Bytes): Promise<void> {
    this.values.set(name, value);
    return Promise.resolve();
  }

  removeAll(names: readonly string[]): Promise<void> {
    for (const name of names) this.values.delete(name);
    return Promise.resolve();
  }
}
