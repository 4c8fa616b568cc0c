/** Providers: a node says that it holds some content and where it can be dialled. */
import { type Bytes, utf8 } from '../base/bytes.ts';
import { sha256 } from '../base/hash.ts';
import { bodyCodec, bytesListField, mappedField } from './codec.ts';
import type { SignedRecord } from './envelope.ts';
import { recordKinds } from './kinds.ts';
import { isSha256Multihash } from './root.ts';
import { type Signer, type Stamp, stampRecord, type TombstoneStamp } from './stamp.ts';

export interface ProviderBody {
  /** Of the content's root block: SHA-256, 34 bytes. */
  readonly multihash: Bytes;
  /** Up to 4 binary multiaddrs of up to 128 bytes, not yet looked at; the signer is the peer. */
  readonly multiaddrs: readonly Bytes[];
}

export const providerLifetimeSecondsMax: number = 8 * 3600;
export const providerMultiaddrsMax = 4;
/** A relayed address with a host name takes about 100. */
export const providerMultiaddrBytesMax = 128;

const multihashField = mappedField(1, {
  parse: (bytes) => (isSha256Multihash(bytes) ? bytes : undefined),
  encode: (multihash) => multihash,
});

const live = bodyCodec<ProviderBody>({
  multihash: multihashField,
  multiaddrs: bytesListField(2, {
    countMax: providerMultiaddrsMax,
    bytesMax: providerMultiaddrBytesMax,
  }),
});

const withdrawn = bodyCodec<{ multihash: Bytes }>({ multihash: multihashField });

const keyContext = utf8('altnet/key/prov\0');

/** `multihash`, not CID: raw and dag-pb CIDs of the same block find the same providers. */
export function providerKey(multihash: Bytes): Bytes {
  return sha256(keyContext, multihash);
}

/** Undefined for another kind, a tombstone, or a body that breaks a limit. */
export function parseProvider(record: SignedRecord): ProviderBody | undefined {
  if (record.kind !== recordKinds.provider || record.tombstone) return undefined;
  return live.parse(record.fields);
}

/** The multihash of a provider record, live or withdrawn; undefined as for `parseProvider`. */
export function multihashOf(record: SignedRecord): Bytes | undefined {
  if (record.kind !== recordKinds.provider) return undefined;
  if (!record.tombstone) return live.parse(record.fields)?.multihash;
  return record.fields.size === 1 ? withdrawn.parse(record.fields)?.multihash : undefined;
}

/** Signed by the node key, which is also the key of the libp2p host that will be dialled. */
export function makeProviderRecord(body: ProviderBody, stamp: Stamp, signer: Signer): SignedRecord {
  const { multihash } = body;
  return makeRecord({ multihash, tombstone: false, body: live.encode(body) }, stamp, signer);
}

/** Says that this node no longer holds the content. */
export function makeProviderTombstone(
  multihash: Bytes,
  stamp: TombstoneStamp,
  signer: Signer,
): SignedRecord {
  const body = withdrawn.encode({ multihash });
  return makeRecord({ multihash, tombstone: true, body }, stamp, signer);
}

function makeRecord(
  { multihash, ...what }: { multihash: Bytes; tombstone: boolean; body: Bytes },
  stamp: Stamp,
  signer: Signer,
): SignedRecord {
  const key = providerKey(multihash);
  const lifetimeSecondsMax = providerLifetimeSecondsMax;
  const kind = recordKinds.provider;
  return stampRecord({ kind, key, lifetimeSecondsMax, ...what }, stamp, signer);
}
