/**
 * The envelope that all records share: fixed binary fields, so that quota, order and signature are
 * judged without knowing the kind's body (docs/spec/records.md, "Envelope").
 */
import { asBuffer, type Bytes, compareBytes, concatBytes, utf8 } from '../base/bytes.ts';
import { AltNetError } from '../base/errors.ts';
import { sha256 } from '../base/hash.ts';
import { type KeyKind, type SigningKey, verifySignature } from '../identity/key.ts';
import { type Body, decodeBody } from './body.ts';
import {
  isRecordKind,
  type RecordKind,
  recordKinds,
  type StoreStatus,
  storeStatuses,
  storeStatusName,
} from './kinds.ts';

/** Everything but format, signature and lengths. */
export interface RecordFields {
  readonly kind: RecordKind;
  /** Says that the author withdrew what stood in this slot; the body then only names the slot. */
  readonly tombstone: boolean;
  /** Where in the DHT it belongs: 32 bytes. */
  readonly key: Bytes;
  /** Unsigned 64 bits: epoch << 48 | version. */
  readonly seq: bigint;
  /** Unix seconds. */
  readonly issued: number;
  /** Unix seconds, after `issued`. */
  readonly expires: number;
  /** 8 bytes; zeros where the kind costs no work. */
  readonly powNonce: Bytes;
  /** Deterministic CBOR, at most 842 bytes. */
  readonly body: Bytes;
}

/**
 * A record whose form is right: everything but the signature, which `isAuthentic` checks, and the
 * rules of its kind. Its byte strings share the memory of `bytes`; nobody may write to them.
 */
export interface SignedRecord extends RecordFields {
  /** Ed25519 public key of who signed, 32 bytes. */
  readonly author: Bytes;
  /** 64 bytes. */
  readonly signature: Bytes;
  /** The original encoding, at most 1,000 bytes: stored and forwarded as it came. */
  readonly bytes: Bytes;
  /** SHA-256 of `bytes`. */
  readonly hash: Bytes;
  /** `body`, decoded: parsing happens once, here. */
  readonly fields: Body;
}

export const recordBytesMax = 1000;
const headBytes = 94;
const signatureBytes = 64;
/** 842: what a datagram leaves beside the fixed fields and the signature. */
export const bodyBytesMax: number = recordBytesMax - headBytes - signatureBytes;

const format = 1;
const tombstoneFlag = 1;
const signatureContext = utf8('altnet/rec/1\0');
const versionBits = 48n;

/** Names and links are signed by their author; what a node says of itself, by the node. */
function signerOf(kind: RecordKind): KeyKind {
  return kind === recordKinds.provider || kind === recordKinds.contact ? 'node' : 'author';
}

/** Throws INTERNAL when the fields make no well-formed record, or the key is the wrong one. */
export function signRecord(fields: RecordFields, key: SigningKey, network: Bytes): SignedRecord {
  if (key.kind !== signerOf(fields.kind)) {
    throw new AltNetError('INTERNAL', { what: `a ${key.kind} key cannot sign this record` });
  }
  const signed = concatBytes(encodeHead(fields, key.publicKey), fields.body);
  const signature = key.sign(concatBytes(signatureContext, network, signed));
  const parsed = parseRecord(concatBytes(signed, signature));
  if (parsed.ok) return parsed.record;
  const status = storeStatusName(parsed.status);
  throw new AltNetError('INTERNAL', { what: `made a record that is ${status}` });
}

function encodeHead(fields: RecordFields, author: Bytes): Bytes {
  const head = Buffer.alloc(headBytes);
  head.writeUInt8(format, 0);
  head.writeUInt8(fields.kind, 1);
  head.writeUInt16BE(fields.tombstone ? tombstoneFlag : 0, 2);
  head.set(fields.key, 4);
  head.set(author, 36);
  head.writeBigUInt64BE(fields.seq, 68);
  head.writeUInt32BE(fields.issued, 76);
  head.writeUInt32BE(fields.expires, 80);
  head.set(fields.powNonce, 84);
  head.writeUInt16BE(fields.body.length, 92);
  return head;
}

export type ParsedRecord =
  | { readonly ok: true; readonly record: SignedRecord }
  | { readonly ok: false; readonly status: StoreStatus };

/**
 * Reads what a peer sent: form only, no signature. Statuses: TOO_BIG, KIND (a kind that this
 * version does not know), MALFORMED. Copies `bytes`, so the caller may reuse its buffer.
 */
export function parseRecord(bytes: Bytes): ParsedRecord {
  if (bytes.length > recordBytesMax) return refuse('TOO_BIG');
  if (bytes.length < headBytes + signatureBytes) return refuse('MALFORMED');
  const own = new Uint8Array(bytes);
  const head = asBuffer(own);
  const kind = head.readUInt8(1);
  const flags = head.readUInt16BE(2);
  const bodyEnd = headBytes + head.readUInt16BE(92);
  if (head.readUInt8(0) !== format) return refuse('MALFORMED');
  if (!isRecordKind(kind)) return refuse('KIND');
  // Bits that have no meaning yet MUST be zero, so that they can be given one.
  if ((flags & ~tombstoneFlag) !== 0) return refuse('MALFORMED');
  if (own.length !== bodyEnd + signatureBytes) return refuse('MALFORMED');
  const issued = head.readUInt32BE(76);
  const expires = head.readUInt32BE(80);
  if (expires <= issued) return refuse('MALFORMED');
  const body = own.subarray(headBytes, bodyEnd);
  const fields = decodeBody(body);
  if (!fields) return refuse('MALFORMED');
  const record: SignedRecord = {
    kind,
    tombstone: flags === tombstoneFlag,
    key: own.subarray(4, 36),
    author: own.subarray(36, 68),
    seq: head.readBigUInt64BE(68),
    issued,
    expires,
    powNonce: own.subarray(84, 92),
    body,
    fields,
    signature: own.subarray(bodyEnd),
    bytes: own,
    hash: sha256(own),
  };
  return { ok: true, record };
}

function refuse(status: 'TOO_BIG' | 'MALFORMED' | 'KIND'): ParsedRecord {
  return { ok: false, status: storeStatuses[status] };
}

/** Whether the author signed these bytes for this network (16 bytes, see `networkId`). */
export function isAuthentic(record: SignedRecord, network: Bytes): boolean {
  const { author: publicKey, signature, bytes } = record;
  const signed = bytes.subarray(0, bytes.length - signatureBytes);
  const message = concatBytes(signatureContext, network, signed);
  return verifySignature({ publicKey, message, signature });
}

/**
 * The one order of records in a slot: by seq, then by hash, so that all storers agree even when an
 * author signs two records with one seq. Positive when `a` wins, 0 for the same bytes.
 */
export function compareRecords(a: SignedRecord, b: SignedRecord): number {
  if (a.seq !== b.seq) return a.seq > b.seq ? 1 : -1;
  return compareBytes(a.hash, b.hash);
}

/** `epoch` counts owners, 0–65,535; `version` counts what one owner wrote, below 2^48. */
export function seqOf(epoch: number, version: number): bigint {
  return (BigInt(epoch) << versionBits) | BigInt(version);
}

export function epochOf(seq: bigint): number {
  return Number(seq >> versionBits);
}

export function versionOf(seq: bigint): number {
  return Number(BigInt.asUintN(Number(versionBits), seq));
}
