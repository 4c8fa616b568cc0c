/** One node's storage in a manual world, for tests of what it takes, keeps and lets go. */
import type { Bytes } from '../../src/base/bytes.ts';
import type { SignedRecord } from '../../src/record/envelope.ts';
import { storeStatusName } from '../../src/record/kinds.ts';
import {
  type Claim,
  type Outcome,
  Storage,
  storageDefaults,
  type StorageOptions,
} from '../../src/dht/holding/storage.ts';
import type { RecordDenials } from '../../src/dht/rules/denial.ts';
import { testNetwork, testProfile } from './dht-samples.ts';
import { type ManualWorld, manualWorld } from './manual-world.ts';
import { MemoryRecordStore } from './memory-store.ts';

/** A network at home: no limits of its own. */
export const homeSource = '4:0a0000';

export interface StorageBench {
  readonly world: ManualWorld;
  readonly records: MemoryRecordStore;
  readonly storage: Storage;
  /** Names that wait for confirmation, as they came. */
  readonly claims: Claim[];
  readonly accept: (record: SignedRecord | Bytes, source?: string) => Promise<Outcome>;
  /** The name of the status. */
  readonly store: (record: SignedRecord | Bytes, source?: string) => Promise<string>;
  readonly pass: (seconds: number) => void;
  /** The earliest that it may be, as the mode of the node says; undefined: what the clock says. */
  earliestUnixMs: number | undefined;
  /** What is denied; undefined: nothing. */
  denies: RecordDenials | undefined;
}

/** The node's ID is zero, so that the nearest key is the smallest. */
export const benchSelf: Bytes = new Uint8Array(32);

export function storageBench(
  options: Partial<StorageOptions> = {},
  isTooFar: (key: Bytes) => boolean = () => false,
): StorageBench {
  const world = manualWorld();
  const records = new MemoryRecordStore();
  const claims: Claim[] = [];
  const storage = new Storage(
    {
      records,
      clock: world.clock,
      self: benchSelf,
      profile: testProfile,
      network: testNetwork,
      isTooFar,
      earliestUnixMs: () => it.earliestUnixMs ?? world.clock.unixMs(),
      denies: (record) => it.denies?.(record),
      onClaim: (claim) => claims.push(claim),
    },
    { ...storageDefaults, ...options },
  );
  const accept: StorageBench['accept'] = (record, source = homeSource) =>
    storage.accept(record instanceof Uint8Array ? record : record.bytes, { source });
  const it: StorageBench = {
    world,
    records,
    storage,
    claims,
    accept,
    store: async (record, source) => storeStatusName((await accept(record, source)).status),
    pass: (seconds) => world.advance(seconds * 1000),
    earliestUnixMs: undefined,
    denies: undefined,
  };
  return it;
}

/** A network of the Internet, one of 65,536. */
export function internetSource(n: number): string {
  return `4:20${n.toString(16).padStart(4, '0')}`;
}

/** Lets time pass until `promise` settles, and settles as it does. */
export async function passUntil<T>(world: ManualWorld, promise: Promise<T>): Promise<T> {
  const state = { settled: false };
  const mark = (): void => {
    state.settled = true;
  };
  promise.then(mark, mark);
  while (!state.settled) await world.advanceAsync(1000);
  return promise;
}
