/**
 * Nodes that exchange content over real libp2p connections on loopback, with the DHT replaced by a
 * list of provider records that all of them see. For tests of the content module.
 */
import { randomBytes } from 'node:crypto';
import type { TestContext } from 'node:test';
import { parseEndpoint } from '../../src/base/address.ts';
import { type Bytes, toHex } from '../../src/base/bytes.ts';
import type { Denials } from '../../src/base/denial.ts';
import type { World } from '../../src/base/clock.ts';
import type { KeeperSearch, ProviderSearch, Publisher, Verifier } from '../../src/content/ports.ts';
import type { Reception } from '../../src/content/reception/reception.ts';
import { Sites, type SitesOptions } from '../../src/content/sites.ts';
import { compareDistance } from '../../src/dht/distance.ts';
import { type Contact, contactOf } from '../../src/identity/contact.ts';
import { SigningKey } from '../../src/identity/key.ts';
import { parseMultiaddr } from '../../src/peer/address.ts';
import { PeerHost } from '../../src/peer/host.ts';
import type { SignedRecord } from '../../src/record/envelope.ts';
import type { RecordKind } from '../../src/record/kinds.ts';
import { networkId, networkProfiles } from '../../src/record/network.ts';
import { atEnd } from './cleanup.ts';
import { MemoryBlocks, MemoryHoldings } from './memory-blocks.ts';
import type { MemoryNotes } from './memory-notes.ts';

/** What the DHT would hold. BOUNDED by the test. */
export class RecordBoard implements Publisher, ProviderSearch {
  readonly #records = new Map<string, SignedRecord[]>();
  searches = 0;

  publish(record: SignedRecord): Promise<{ stored: number }> {
    const key = toHex(record.key);
    const own = (this.#records.get(key) ?? []).find((one) => isSameAuthor(one, record));
    if (own && own.seq > record.seq) return Promise.resolve({ stored: 0 });
    const others = (this.#records.get(key) ?? []).filter((one) => !isSameAuthor(one, record));
    this.#records.set(key, [...others, record]);
    return Promise.resolve({ stored: 1 });
  }

  async *gather(key: Bytes): ReturnType<ProviderSearch['gather']> {
    this.searches++;
    const endpoint = parseEndpoint('127.0.0.1:9') ?? { ip: new Uint8Array(4), port: 9 };
    const from = contactOf(new Uint8Array(32), endpoint);
    yield { from, records: this.#records.get(toHex(key)) ?? [] };
    return { isConclusive: true };
  }

  /** Live records, under all keys or one. */
  live(key?: Bytes): SignedRecord[] {
    const all = key ? (this.#records.get(toHex(key)) ?? []) : [...this.#records.values()].flat();
    return all.filter(({ tombstone }) => !tombstone);
  }

  providers(): number {
    return this.live().length;
  }

  list(kind: RecordKind): { record: SignedRecord }[] {
    return this.live()
      .filter((record) => record.kind === kind)
      .map((record) => ({ record }));
  }

  under(key: Bytes): { record: SignedRecord }[] {
    return this.live(key).map((record) => ({ record }));
  }

  /** As one node sees it, which keeps alive what it signed. */
  of({ publicKey }: SigningKey): Publisher {
    const isOwn = ({ record }: { record: SignedRecord }): boolean =>
      toHex(record.author) === toHex(publicKey);
    return {
      publish: (record) => this.publish(record),
      list: (kind) => this.list(kind).filter(isOwn),
      under: (key) => this.under(key).filter(isOwn),
    };
  }
}

function isSameAuthor(a: SignedRecord, b: SignedRecord): boolean {
  return toHex(a.author) === toHex(b.author);
}

/** The storage nodes that a lookup would find. BOUNDED by the test. */
export class KeeperBoard implements KeeperSearch {
  readonly contacts: Contact[] = [];
  /** What `isFar` says of every key. */
  far = false;

  closest(key: Bytes): Promise<readonly Contact[]> {
    return Promise.resolve(this.contacts.toSorted((a, b) => compareDistance(key, a.id, b.id)));
  }

  isFar(): boolean {
    return this.far;
  }

  /** A node that listens for connections. */
  add({ key, host }: { readonly key: SigningKey; readonly host: PeerHost }): void {
    const [endpoint] = host.addresses().flatMap((text) => parseMultiaddr(text) ?? []);
    if (endpoint) this.contacts.push(contactOf(key.publicKey, endpoint));
  }

  remove(key: SigningKey): void {
    const at = this.contacts.findIndex(
      ({ publicKey }) => toHex(publicKey) === toHex(key.publicKey),
    );
    if (at >= 0) this.contacts.splice(at, 1);
  }
}

export interface ContentNode {
  readonly key: SigningKey;
  readonly host: PeerHost;
  readonly blocks: MemoryBlocks;
  readonly holdings: MemoryHoldings;
  readonly sites: Sites;
}

export interface ContentNodeOptions extends SitesOptions {
  /** Where storage nodes are found, this one among them if it keeps copies. */
  readonly keepers?: KeeperBoard | undefined;
  readonly world?: World | undefined;
  /** Of an earlier node that is to come back. */
  readonly key?: SigningKey | undefined;
  readonly holdings?: MemoryHoldings | undefined;
  readonly notes?: MemoryNotes | undefined;
  readonly verifier?: Verifier | undefined;
  readonly reception?: Pick<Reception, 'open'> | undefined;
  readonly denials?: Denials | undefined;
}

export async function startContentNode(
  t: TestContext,
  board: RecordBoard,
  { keepers, world, notes, verifier, reception, denials, ...options }: ContentNodeOptions = {},
): Promise<ContentNode> {
  const { key = new SigningKey('node', randomBytes(32)) } = options;
  const { holdings = new MemoryHoldings(new MemoryBlocks(), world?.clock) } = options;
  const { blocks } = holdings;
  const host = new PeerHost({ key, listen: [{ host: '127.0.0.1', port: 0 }] });
  await host.start();
  atEnd(t, () => host.stop());
  const signer = { key, network: networkId(networkProfiles.local) };
  const publisher = board.of(key);
  const ends = { connections: host, reception, signer };
  const parts = { blocks, holdings, publisher, search: board, ...ends };
  const sites = new Sites({ ...parts, keepers, world, notes, verifier, denials }, options);
  await sites.start();
  atEnd(t, () => sites.stop());
  if (options.replication?.isKeeper() === true) keepers?.add({ key, host });
  return { key, host, blocks, holdings, sites };
}
