/**
 * The envelope that all records share: fixed binary fields, so that quota, order and signature are
 * judged before any parser sees the body (docs/spec/records.md, "Envelope").
 */
import type { Bytes } from '../base/bytes.ts';
import type { RecordKind } from './kinds.ts';

/** Everything but format, signature and lengths. */
export interface RecordFields {
  readonly kind: RecordKind;
  readonly tombstone: boolean;
  /** Where in the DHT it belongs: 32 bytes. */
  readonly key: Bytes;
  /** Unsigned 64 bits: epoch << 48 | version. */
  readonly seq: bigint;
  /** Unix seconds. */
  readonly issued: number;
  /** Unix seconds. */
  readonly expires: number;
  /** 8 bytes; zeros where the kind costs no work. */
  readonly powNonce: Bytes;
  /** Deterministic CBOR, at most 842 bytes. */
  readonly body: Bytes;
}

/** A record whose envelope was read. Its signature is checked only by `verifyRecord`. */
export interface SignedRecord extends RecordFields {
  /** Ed25519 public key of who signed, 32 bytes. */
  readonly author: Bytes;
  /** 64 bytes. */
  readonly signature: Bytes;
  /** The original encoding, at most 1,000 bytes: stored and forwarded as it came. */
  readonly bytes: Bytes;
  /** SHA-256 of `bytes`. */
  readonly hash: Bytes;
}
