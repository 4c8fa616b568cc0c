/**
 * A publisher in a manual world, whose records go to a list instead of a network: what storing comes
 * to, and what time it is for records, the test says.
 */
import { silentLogger } from '../../src/base/logger.ts';
import { Publisher, type PublisherDeps } from '../../src/dht/placing/publisher.ts';
import type { StoreResult } from '../../src/dht/placing/storing.ts';
import type { SignedRecord } from '../../src/record/envelope.ts';
import { storeStatuses } from '../../src/record/kinds.ts';
import { authorKey, nodeKey, testNetwork } from './dht-samples.ts';
import { type ManualWorld, manualWorld } from './manual-world.ts';
import { MemoryPublicationJournal } from './memory-store.ts';
import { tinyContact } from './tiny-contact.ts';

export const hourMs = 3_600_000;
export const taken: StoreResult = {
  stored: 20,
  asked: 20,
  refusals: [],
  holders: [tinyContact(1)],
};
const rate = { status: storeStatuses.RATE, count: 20, conflicting: [] };
export const putOff: StoreResult = { stored: 0, asked: 20, refusals: [rate], holders: [] };
export const unheard: StoreResult = { stored: 0, asked: 20, refusals: [], holders: [] };

export interface PublisherBench {
  readonly world: ManualWorld;
  readonly journal: MemoryPublicationJournal;
  readonly publisher: Publisher;
  /** What was stored, oldest first. */
  readonly stored: SignedRecord[];
  /** What storing comes to. */
  result: StoreResult;
  /** Contacts in the table. */
  contacts: number;
  /** How far the time of records is from that of the world, and whether it may be wrong. */
  clockMs: number;
  isDoubtful: boolean;
  /** What must not be brought out. */
  denies: (record: SignedRecord) => boolean;
  /** What happens while a record is stored. */
  storing?: () => Promise<void>;
  readonly passHours: (hours: number) => Promise<void>;
}

export function publisherBench(): PublisherBench {
  const world = manualWorld();
  const journal = new MemoryPublicationJournal();
  const stored: SignedRecord[] = [];
  const table = {
    get size() {
      return it.contacts;
    },
  };
  const store = async (record: SignedRecord): Promise<StoreResult> => {
    stored.push(record);
    await it.storing?.();
    return it.result;
  };
  const keys = { author: authorKey(1), node: nodeKey(1) };
  const dht = { table, store } as unknown as PublisherDeps['dht'];
  const deps = { dht, journal, world, keys, network: testNetwork, log: silentLogger };
  const recordClock = {
    unixMs: () => world.clock.unixMs() + it.clockMs,
    isDoubtful: () => it.isDoubtful,
  };
  const publisher = new Publisher({ ...deps, recordClock, denies: (record) => it.denies(record) });
  const passHours = (hours: number): Promise<void> => world.advanceAsync(hours * hourMs);
  const it: PublisherBench = {
    world,
    journal,
    publisher,
    stored,
    result: taken,
    contacts: 1,
    clockMs: 0,
    isDoubtful: false,
    denies: () => false,
    passHours,
  };
  return it;
}
