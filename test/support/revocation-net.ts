/**
 * Revokers and those who follow them, in a world whose time a test moves: storers that hold one
 * record a key, files by their root, and announcements that reach every other node. Each of these
 * can be told to fail. It stands in for DHT and content; what is tested is production code.
 */
import type { CID } from 'multiformats/cid';
import { type Bytes, equalBytes, toHex } from '../../src/base/bytes.ts';
import { AltNetError } from '../../src/base/errors.ts';
import { type Logger, silentLogger } from '../../src/base/logger.ts';
import { contactOf } from '../../src/identity/contact.ts';
import { SigningKey } from '../../src/identity/key.ts';
import { compareRecords, type SignedRecord } from '../../src/record/envelope.ts';
import { networkId, networkProfiles } from '../../src/record/network.ts';
import { fileRoot } from '../../src/revocation/list-files.ts';
import { RevokerLists } from '../../src/revocation/lists.ts';
import type { ListAnswer, ListFiles } from '../../src/revocation/ports.ts';
import { Revocations } from '../../src/revocation/revocations.ts';
import { Listeners } from '../../src/trust/listeners.ts';
import type { TrustedKeys } from '../../src/trust/ports.ts';
import { atEnd, type Ending } from './cleanup.ts';
import { type ManualWorld, manualWorld } from './manual-world.ts';
import { MemoryNotes } from './memory-notes.ts';

export const revocationProfile: (typeof networkProfiles)['local'] = networkProfiles.local;
export const revocationNetwork: Bytes = networkId(revocationProfile);

/** One of those who hold records. */
export class ListStorer {
  readonly held: Map<string, SignedRecord> = new Map(); // BOUNDED by the test
  /** Takes nothing and goes on showing what it has. */
  frozen = false;
  silent = false;
}

export class Trusted implements TrustedKeys {
  #keys: readonly Bytes[];
  readonly #listeners = new Listeners();

  constructor(keys: readonly Bytes[]) {
    this.#keys = keys;
  }

  list(): readonly Bytes[] {
    return this.#keys;
  }

  has(key: Bytes): boolean {
    return this.#keys.some((one) => equalBytes(one, key));
  }

  onChange(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }

  set(keys: readonly Bytes[]): void {
    this.#keys = keys;
    this.#listeners.tell();
  }
}

export interface RevocationNode {
  readonly key: SigningKey;
  readonly id: Bytes;
  readonly trusted: Trusted;
  readonly notes: MemoryNotes;
  readonly lists: RevokerLists;
  readonly revocations: Revocations;
  /** What the log warned of. */
  readonly warnings: string[];
  stop(): Promise<void>;
}

export interface NodeSettings {
  readonly author?: number;
  readonly trusts?: readonly Bytes[];
  /** Of an earlier node. */
  readonly notes?: MemoryNotes | undefined;
  /** Neither hears nor asks until it is woken. */
  readonly deaf?: boolean;
}

export class RevocationNet {
  readonly world: ManualWorld = manualWorld();
  readonly storers: readonly ListStorer[];
  /** By root. BOUNDED by the test. */
  readonly files: Map<string, Bytes> = new Map();
  /** Announcements that were sent, by the hash of their record. BOUNDED by the test. */
  readonly announced: Map<string, number> = new Map();
  readonly nodes: RevocationNode[] = []; // BOUNDED by the test
  areFilesGone = false;
  /** As large as makes nodes ask seldom. */
  networkSize = 1_000_000;
  /** Announcements reach nobody. */
  isHushed = false;
  searches = 0;
  reads = 0;
  readonly #t: Ending;

  constructor(t: Ending, storers = 8) {
    this.#t = t;
    this.storers = Array.from({ length: storers }, () => new ListStorer());
  }

  async start({
    author = 1,
    trusts = [],
    notes,
    deaf,
  }: NodeSettings = {}): Promise<RevocationNode> {
    const node = await this.#make({ author, trusts, notes: notes ?? new MemoryNotes() });
    atEnd(this.#t, () => node.stop());
    await node.lists.start();
    if (deaf !== true) {
      await node.revocations.start();
      this.nodes.push(node);
    }
    await this.world.advanceAsync(0);
    return node;
  }

  /** All storers take it, if it is newer. */
  store(record: SignedRecord): number {
    let stored = 0;
    for (const { held, frozen, silent } of this.storers) {
      if (frozen || silent) continue;
      const key = toHex(record.key);
      const there = held.get(key);
      if (there && compareRecords(record, there) < 0) continue;
      held.set(key, record);
      stored++;
    }
    return stored;
  }

  async #make({
    author,
    trusts,
    notes,
  }: Required<Pick<NodeSettings, 'author' | 'trusts'>> & {
    notes: MemoryNotes;
  }): Promise<RevocationNode> {
    const { world } = this;
    const key = new SigningKey('author', new Uint8Array(32).fill(author));
    const id = world.random.bytes(32);
    const trusted = new Trusted(trusts);
    const warnings: string[] = [];
    const log: Logger = { ...silentLogger, warn: (message) => void warnings.push(message) };
    const lists = new RevokerLists({ trusted, own: key.publicKey, notes, ...world, log });
    const journal = new Map<string, SignedRecord>(); // BOUNDED by the test
    const revocations = new Revocations({
      lists,
      network: {
        table: { size: this.storers.length },
        gather: (place) => this.#gather(place),
        announce: (record) => this.#announce(record, id),
        networkSize: () => this.networkSize,
      },
      publisher: {
        publish: async (record) => {
          journal.set(toHex(record.key), record);
          return { stored: this.store(record) };
        },
        under: (place) => {
          const record = journal.get(toHex(place));
          return record ? [{ record }] : [];
        },
      },
      files: this.#listFiles(),
      signer: { key, network: revocationNetwork },
      profile: revocationProfile,
      clock: { unixMs: () => world.clock.unixMs(), isDoubtful: () => false },
      world,
      log,
    });
    const stop = async (): Promise<void> => {
      this.nodes.splice(0, this.nodes.length, ...this.nodes.filter((one) => one.id !== id));
      await revocations.stop();
      await lists.stop();
    };
    return { key, id, trusted, notes, lists, revocations, warnings, stop };
  }

  async *#gather(place: Bytes): AsyncGenerator<ListAnswer, void, undefined> {
    this.searches++;
    for (const [i, { held, silent }] of this.storers.entries()) {
      if (silent) continue;
      const ip = Uint8Array.of(20 + i, 1, 1, 1);
      const record = held.get(toHex(place));
      const from = contactOf(new Uint8Array(32).fill(i + 1), { ip, port: 9000 });
      yield { from, records: record ? [record] : [] };
    }
  }

  async #announce(record: SignedRecord, from: Bytes): Promise<number> {
    const hash = toHex(record.hash);
    const others = this.isHushed ? [] : this.nodes.filter(({ id }) => !equalBytes(id, from));
    this.announced.set(hash, (this.announced.get(hash) ?? 0) + others.length);
    for (const { revocations } of others) revocations.announced(record.bytes, from);
    return others.length;
  }

  #listFiles(): ListFiles {
    return {
      rootOf: fileRoot,
      read: async (root, { bytes }) => {
        this.reads++;
        const octets = this.files.get(root.toString());
        if (this.areFilesGone || !octets) {
          throw new AltNetError('NO_PROVIDERS', { root: root.toString() });
        }
        if (octets.length !== bytes) throw new Error('another size');
        return octets;
      },
      publish: async (octets): Promise<CID> => {
        const root = await fileRoot(octets);
        this.files.set(root.toString(), octets.slice());
        return root;
      },
    };
  }
}
