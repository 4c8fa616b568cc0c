/** Names over storers in memory: one author's node, or several, and what the storers hold. */
import { CID } from 'multiformats/cid';
import * as Digest from 'multiformats/hashes/digest';
import { toHex } from '../../src/base/bytes.ts';
import { unixSeconds } from '../../src/base/clock.ts';
import type { Denials } from '../../src/base/denial.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { SigningKey } from '../../src/identity/key.ts';
import { AltNetError } from '../../src/base/errors.ts';
import { Names, type NamesDeps, type NamesOptions } from '../../src/name/names.ts';
import { seqOf, type SignedRecord } from '../../src/record/envelope.ts';
import { makeNameRecord } from '../../src/record/name.ts';
import { networkId, networkProfiles, type NetworkProfile } from '../../src/record/network.ts';
import { type ManualWorld, manualWorld } from './manual-world.ts';
import { MemoryNameNotes, MemoryNamePublisher, NameNet } from './name-net.ts';

/** Options, and what this node holds as a storer. */
export type NameNodeOptions = Partial<NamesOptions> & Pick<NamesDeps, 'withdrawalsHeld'>;

export interface NameBench {
  readonly world: ManualWorld;
  readonly net: NameNet;
  readonly network: Uint8Array;
  /** One author's node; the same number twice is one author on two machines. */
  readonly node: (fill: number, notes?: MemoryNameNotes, options?: NameNodeOptions) => Names;
  /** Zone files that can be had, by root. */
  readonly files: Map<string, Uint8Array>;
  /** A record of "alice" by an author, signed yesterday. */
  readonly signed: (fill: number, version: number, expires?: number) => SignedRecord;
  /** Gives it to the storers `from` up to `to`. */
  readonly hold: (record: SignedRecord, from: number, to: number) => void;
}

const day = 86_400;

export function rootOf(fill: number, codec = 0x70): CID {
  return CID.createV1(codec, Digest.create(0x12, new Uint8Array(32).fill(fill)));
}

export function authorOf(fill: number): SigningKey {
  return new SigningKey('author', new Uint8Array(32).fill(fill));
}

export function setUp({
  storers = 5,
  profile = networkProfiles.local,
  denials,
}: { storers?: number; profile?: NetworkProfile; denials?: Denials } = {}): NameBench {
  const world = manualWorld();
  const network = networkId(profile);
  const net = new NameNet(storers, () => unixSeconds(world.clock), network);
  const files = new Map<string, Uint8Array>(); // BOUNDED by the test
  const readZoneFile = async (root: CID): Promise<Uint8Array> => {
    const bytes = files.get(root.toString());
    if (bytes) return bytes;
    throw new AltNetError('NO_PROVIDERS', { root: root.toString() });
  };
  const node = (
    fill: number,
    notes = new MemoryNameNotes(),
    options: NameNodeOptions = {},
  ): Names => {
    const publisher = new MemoryNamePublisher(net);
    const authorKey = authorOf(fill);
    const deps = { dht: net, publisher, notes, authorKey, profile, network, readZoneFile, denials };
    const { withdrawalsHeld } = options;
    return new Names({ ...deps, world, log: silentLogger, withdrawalsHeld }, options);
  };
  const signed = (fill: number, version: number, expires?: number): SignedRecord => {
    const stamp = { seq: seqOf(0, version), issued: unixSeconds(world.clock) - day, expires };
    return makeNameRecord({ label: 'alice', root: rootOf(fill) }, stamp, {
      key: authorOf(fill),
      network,
    });
  };
  const hold = (record: SignedRecord, from: number, to: number): void => {
    for (const { held } of net.storers.slice(from, to)) held.set(toHex(record.key), record);
  };
  return { world, net, node, signed, hold, network, files };
}
