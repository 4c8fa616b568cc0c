/** One simulated node: the production DHT and publisher on a simulated network. */
import type { Bytes } from '../src/base/bytes.ts';
import type { World } from '../src/base/clock.ts';
import { silentLogger } from '../src/base/logger.ts';
import { Dht, type DhtOptions } from '../src/dht/dht.ts';
import type { PublicationJournal, Requester } from '../src/dht/ports.ts';
import { Publisher } from '../src/dht/placing/publisher.ts';
import { type Contact, contactOf } from '../src/identity/contact.ts';
import { SigningKey } from '../src/identity/key.ts';
import type { RecordReader } from '../src/record/acceptance.ts';
import { networkId, networkProfiles } from '../src/record/network.ts';
import { MemoryPublicationJournal } from '../test/support/memory-store.ts';
import { type Holdings, SharedRecordStore } from './holdings.ts';
import type { SimNetwork } from './network.ts';
import { Tries } from './tries.ts';
import { WatchedTransport } from './watch.ts';

export const simProfile: (typeof networkProfiles)['local'] = networkProfiles.local;
export const simNetworkId: Uint8Array = networkId(simProfile);

export interface SimNodeSettings {
  /** Where it stands: an IPv4 address. */
  readonly ip: Bytes;
  readonly world: World;
  readonly network: SimNetwork;
  readonly holdings: Holdings;
  readonly reader: RecordReader;
  readonly options: Partial<DhtOptions>;
  /** Clients ask, but hold nothing and enter no table. */
  readonly server?: boolean;
}

export class SimNode {
  readonly contact: Contact;
  readonly nodeKey: SigningKey;
  readonly authorKey: SigningKey;
  readonly world: World;
  readonly transport: WatchedTransport;
  readonly dht: Dht;
  readonly publisher: Publisher;
  /** What became of its publications. */
  readonly tries: Tries;
  readonly records: SharedRecordStore;
  readonly journal: PublicationJournal = new MemoryPublicationJournal();
  /** Told of announcements, once somebody listens. */
  onAnnounce: ((from: Requester, record: Bytes) => void) | undefined;
  readonly #network: SimNetwork;

  constructor({ ip, world, network, holdings, reader, options, server = true }: SimNodeSettings) {
    this.nodeKey = new SigningKey('node', world.random.bytes(32));
    this.authorKey = new SigningKey('author', world.random.bytes(32));
    this.contact = contactOf(this.nodeKey.publicKey, { ip, port: 9000 });
    this.world = world;
    this.#network = network;
    this.records = new SharedRecordStore(holdings);
    this.transport = new WatchedTransport(
      network.attach(this.contact, {
        isServer: () => server,
        networkSize: () => this.dht.networkSize(),
      }),
    );
    this.dht = new Dht(
      {
        self: () => this.contact,
        transport: this.transport,
        records: this.records,
        world,
        profile: simProfile,
        network: simNetworkId,
        log: silentLogger,
        reader,
        contactRecord: () => undefined,
        isServer: () => server,
        onAnnounce: (from, record) => this.onAnnounce?.(from, record),
      },
      options,
    );
    this.tries = new Tries(() => world.clock.monotonicMs());
    const { dht, tries } = this;
    this.publisher = new Publisher({
      dht: {
        table: dht.table,
        approach: (...about) => dht.approach(...about),
        store: (record, how) => tries.note(record, dht.store(record, how)),
      },
      journal: this.journal,
      world,
      keys: { author: this.authorKey, node: this.nodeKey },
      network: simNetworkId,
      log: silentLogger,
    });
  }

  /** Unix seconds. */
  now(): number {
    return Math.floor(this.world.clock.unixMs() / 1000);
  }

  /** Goes without a word, as a machine does that loses its power. */
  async leave(): Promise<void> {
    this.#network.detach(this.contact);
    await this.publisher.stop();
    await this.dht.stop();
    this.records.clear();
  }
}
