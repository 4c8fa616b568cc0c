/** When and in which order a record was made: what all builders of records take alike. */
import type { Bytes } from '../base/bytes.ts';
import type { SigningKey } from '../identity/key.ts';
import { type RecordFields, signRecord, type SignedRecord } from './envelope.ts';

export interface Stamp {
  /** Above that of every record that the author put into the same slot before (`seqOf`). */
  readonly seq: bigint;
  /** Unix seconds. */
  readonly issued: number;
  /** Unix seconds; the longest that the kind allows when left out. */
  readonly expires?: number | undefined;
  /** What `findPow` found; zeros when left out. It depends on neither seq nor body: keep it. */
  readonly powNonce?: Bytes | undefined;
}

/** Who signs, and for which network (16 bytes, `networkId`). */
export interface Signer {
  readonly key: SigningKey;
  readonly network: Bytes;
}

const noWork: Bytes = new Uint8Array(8);

/** Signs what a builder of one kind put together. */
export function stampRecord(
  what: Pick<RecordFields, 'kind' | 'tombstone' | 'key' | 'body'> & { lifetimeSecondsMax: number },
  { seq, issued, expires, powNonce }: Stamp,
  { key, network }: Signer,
): SignedRecord {
  const { lifetimeSecondsMax, ...rest } = what;
  const times = { issued, expires: expires ?? issued + lifetimeSecondsMax };
  return signRecord({ ...rest, ...times, seq, powNonce: powNonce ?? noWork }, key, network);
}

/** The stamp of a tombstone lives as long as the kind allows, to outlive what it withdraws. */
export type TombstoneStamp = Omit<Stamp, 'expires'>;
