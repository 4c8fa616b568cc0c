/**
 * A network of storers in memory, for the naming module: they keep the rule that the first author
 * holds a name, and nothing else of the DHT. Each can be told to be silent or to lie.
 */
import { equalBytes, toHex } from '../../src/base/bytes.ts';
import { freeAtSeconds, isVoted } from '../../src/dht/rules/ownership.ts';
import { type Contact, contactOf } from '../../src/identity/contact.ts';
import { compareRecords, type SignedRecord } from '../../src/record/envelope.ts';
import { type RecordKind, type StoreStatus, storeStatuses } from '../../src/record/kinds.ts';
import { compareClaims, hasSoundTransfers } from '../../src/record/transfer.ts';
import type {
  NameAnswer,
  NameNotes,
  NamePublication,
  NamePublisher,
  NameSearch,
  NameSearchEnd,
} from '../../src/name/ports.ts';

interface Stored {
  status: StoreStatus;
  conflicting?: SignedRecord;
}

/** One node near every key. */
export class NameStorer {
  readonly contact: Contact;
  /** By key. Tests may put what they like. */
  readonly held: Map<string, SignedRecord> = new Map();
  silent = false;
  /** Whether it has not yet confirmed what it holds. */
  provisional = false;

  readonly #network: Uint8Array;

  /** `index` gives it a network of its own. */
  constructor(index: number, network: Uint8Array) {
    this.#network = network;
    const ip = Uint8Array.of(20 + index, index, 1, 1);
    this.contact = contactOf(new Uint8Array(32).fill(index + 1), { ip, port: 9000 });
  }

  store(record: SignedRecord, now: number): Stored {
    if (!hasSoundTransfers(record, this.#network)) return { status: storeStatuses.BAD_TRANSFER };
    const held = this.held.get(toHex(record.key));
    if (held) {
      const isOther = !equalBytes(held.author, record.author);
      const isLinked = compareClaims(record, held, this.#network) > 0;
      const isFree = isVoted(record) && now >= freeAtSeconds(held);
      if (isOther && !isLinked && !isFree) {
        return { status: storeStatuses.NAME_TAKEN, conflicting: held };
      }
      const order = isOther
        ? compareRecords(record, held)
        : compareClaims(record, held, this.#network);
      if (!isOther && order < 0) return { status: storeStatuses.SEQ_OLD, conflicting: held };
      if (order === 0) return { status: storeStatuses.OK_DUPLICATE };
    }
    this.held.set(toHex(record.key), record);
    return { status: storeStatuses.OK };
  }
}

export class NameNet implements NameSearch {
  readonly storers: readonly NameStorer[];
  readonly now: () => number;
  searches = 0;
  /** How many paths each search took. */
  readonly paths: number[] = [];
  /** How many storers each repair was for. */
  readonly repairs: number[] = [];
  /** What this node takes for the size of the network: the storers and itself, if not set. */
  size: number | undefined;
  /** Whether searches have requests enough for all. */
  complete = true;
  /** While set, searches wait for it before they end. */
  gate: Promise<void> | undefined;

  constructor(count: number, now: () => number, network: Uint8Array) {
    this.storers = Array.from({ length: count }, (_, i) => new NameStorer(i, network));
    this.now = now;
  }

  async *gather(
    key: Uint8Array,
    { kind, paths, minSeq, signal }: Parameters<NameSearch['gather']>[1],
  ): AsyncGenerator<NameAnswer, NameSearchEnd> {
    this.searches++;
    this.paths.push(paths);
    const closest: Contact[] = [];
    for (const { contact, held, silent, provisional } of this.storers) {
      if (silent) continue;
      const record = held.get(toHex(key));
      const isWanted = record?.kind === kind && record.seq >= minSeq;
      closest.push(contact);
      yield { from: contact, records: isWanted ? [record] : [], provisional: [provisional] };
    }
    await this.gate;
    signal?.throwIfAborted();
    return { answered: closest.length, closest, complete: this.complete };
  }

  networkSize(): number {
    return this.size ?? this.storers.length + 1;
  }

  store(
    record: SignedRecord,
    { targets }: { readonly targets: readonly Contact[] },
  ): Promise<unknown> {
    for (const storer of this.storers) {
      if (targets.includes(storer.contact)) storer.store(record, this.now());
    }
    this.repairs.push(targets.length);
    return Promise.resolve();
  }

  publish(record: SignedRecord): NamePublication {
    const refusals = new Map<StoreStatus, { count: number; conflicting: SignedRecord[] }>();
    let stored = 0;
    for (const storer of this.storers) {
      if (storer.silent) continue;
      const { status, conflicting } = storer.store(record, this.now());
      if (status < 16) stored++;
      else {
        const said = refusals.get(status) ?? { count: 0, conflicting: [] };
        said.count++;
        if (conflicting) said.conflicting.push(conflicting);
        refusals.set(status, said);
      }
    }
    const list = [...refusals].map(([status, { count, conflicting }]) => ({
      status,
      count,
      conflicting,
    }));
    return { stored, asked: this.storers.length, refusals: list };
  }
}

/** A publisher with a journal that outlives nothing. */
export class MemoryNamePublisher implements NamePublisher {
  readonly #net: NameNet;
  readonly #journal = new Map<string, SignedRecord>(); // BOUNDED by the test

  constructor(net: NameNet) {
    this.#net = net;
  }

  publish(record: SignedRecord): Promise<NamePublication> {
    this.#journal.set(toHex(record.key), record);
    const result = this.#net.publish(record);
    const taken = result.refusals.some(({ status }) => status === storeStatuses.NAME_TAKEN);
    if (taken && result.stored === 0) this.#journal.delete(toHex(record.key));
    return Promise.resolve(result);
  }

  withdraw(tombstone: SignedRecord): Promise<NamePublication> {
    return this.publish(tombstone);
  }

  list(kind: RecordKind): { record: SignedRecord }[] {
    return [...this.#journal.values()]
      .filter((record) => record.kind === kind && !record.tombstone)
      .map((record) => ({ record }));
  }
}

export class MemoryNameNotes implements NameNotes {
  readonly #notes = new Map<string, Uint8Array>(); // BOUNDED by the test

  get(name: string): Uint8Array | undefined {
    return this.#notes.get(name);
  }

  list(prefix: string): { name: string; value: Uint8Array }[] {
    return [...this.#notes]
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, value]) => ({ name, value }));
  }

  put(name: string, value: Uint8Array): Promise<void> {
    this.#notes.set(name, value);
    return Promise.resolve();
  }

  removeAll(names: readonly string[]): Promise<void> {
    for (const name of names) this.#notes.delete(name);
    return Promise.resolve();
  }
}
