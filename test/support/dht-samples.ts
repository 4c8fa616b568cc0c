/** Records and a one-node world for tests of what storers and publishers do. */
import { CID } from 'multiformats/cid';
import { create } from 'multiformats/hashes/digest';
import type { Bytes } from '../../src/base/bytes.ts';
import { LruMap } from '../../src/base/limits.ts';
import { type KeyKind, SigningKey } from '../../src/identity/key.ts';
import type { SignedRecord } from '../../src/record/envelope.ts';
import { hashUrl, makeLinkRecord, makeLinkTombstone } from '../../src/record/link.ts';
import { makeNameRecord, makeNameTombstone } from '../../src/record/name.ts';
import { networkId, type NetworkProfile, networkProfiles } from '../../src/record/network.ts';
import { makeProviderRecord } from '../../src/record/provider.ts';
import type { Stamp } from '../../src/record/stamp.ts';

export const testProfile: NetworkProfile = networkProfiles.local;
export const testNetwork: Bytes = networkId(testProfile);

/** Unix seconds where the manual world begins. */
export const testNow = 1_767_225_600;

export function authorKey(n: number): SigningKey {
  return keyOf('author', n);
}

export function nodeKey(n: number): SigningKey {
  return keyOf('node', n);
}

/** To make a key takes longer than to sign with it, and most tests want a few again and again. */
const keys = new LruMap<string, SigningKey>(256); // BOUNDED by its size

function keyOf(kind: KeyKind, n: number): SigningKey {
  const known = keys.get(`${kind} ${n}`);
  if (known) return known;
  const seed = new Uint8Array(32).fill(kind === 'author' ? 0xaa : 0xbb);
  new DataView(seed.buffer).setUint32(0, n);
  const key = new SigningKey(kind, seed);
  keys.set(`${kind} ${n}`, key);
  return key;
}

type SampleStamp = Partial<Stamp> & { readonly by?: SigningKey };

function stampOf({ seq = 1n, issued = testNow, ...rest }: SampleStamp): Stamp {
  const { by: _by, ...stamp } = rest;
  return { seq, issued, ...stamp };
}

function signerOf(by: SigningKey): { key: SigningKey; network: Bytes } {
  return { key: by, network: testNetwork };
}

export function sampleName(label: string, stamp: SampleStamp = {}): SignedRecord {
  const root = CID.createV1(0x55, create(0x12, new Uint8Array(32).fill(1)));
  return makeNameRecord({ label, root }, stampOf(stamp), signerOf(stamp.by ?? authorKey(1)));
}

export function sampleNameTombstone(label: string, stamp: SampleStamp = {}): SignedRecord {
  return makeNameTombstone(label, stampOf(stamp), signerOf(stamp.by ?? authorKey(1)));
}

export function sampleLink(target: string, stamp: SampleStamp = {}): SignedRecord {
  const body = { urlHash: hashUrl('//example.org/'), target };
  return makeLinkRecord(body, stampOf(stamp), signerOf(stamp.by ?? authorKey(1)));
}

export function sampleLinkTombstone(target: string, stamp: SampleStamp = {}): SignedRecord {
  const body = { urlHash: hashUrl('//example.org/'), target };
  return makeLinkTombstone(body, stampOf(stamp), signerOf(stamp.by ?? authorKey(1)));
}

/** `fill` makes the content. */
export function sampleProvider(fill: number, stamp: SampleStamp = {}): SignedRecord {
  const multihash = create(0x12, new Uint8Array(32).fill(fill)).bytes;
  const signer = signerOf(stamp.by ?? nodeKey(1));
  return makeProviderRecord({ multihash, multiaddrs: [] }, stampOf(stamp), signer);
}
