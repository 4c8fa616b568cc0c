/**
 * What can be judged of a record by looking at it alone, cheapest check first
 * (docs/spec/records.md, "Verification"). Each check answers OK or the status that a storer gives.
 * Check 1, of size and encoding, is `parseRecord`. A storer puts its own checks (token, distance,
 * quotas, revocation) between them; a reader runs `checkRecord`.
 */
import { type Bytes, equalBytes } from '../base/bytes.ts';
import { isAuthentic, parseRecord, type ParsedRecord, type SignedRecord } from './envelope.ts';
import { recordKinds, type StoreStatus, storeStatuses } from './kinds.ts';
import type { NetworkProfile } from './network.ts';
import { powBitsOf } from './pow.ts';
import { kindForm, storedKind } from './registry.ts';
import { hasSoundTransfers } from './transfer.ts';
import { certificateOf, isCertified } from './zone.ts';

const { OK, MALFORMED, KEY_MISMATCH, CLOCK, EXPIRED, POW, BAD_SIG, BAD_CERT, BAD_TRANSFER, KIND } =
  storeStatuses;

/** How wrong a clock may be, the author's or ours. */
export const clockToleranceSeconds = 600;

/** 2. A kind that is kept under its key, or KIND; its body within limits, or MALFORMED. */
export function checkKind(record: SignedRecord): StoreStatus {
  const rules = storedKind(record.kind);
  if (!rules) return KIND;
  return rules.hasValidBody(record) ? OK : MALFORMED;
}

/** 3. The key is what the body says it is, or KEY_MISMATCH. Only after `checkKind`. */
export function checkKey(record: SignedRecord): StoreStatus {
  return kindForm(record.kind)?.keyMatches(record) === true ? OK : KEY_MISMATCH;
}

/** 4. MALFORMED for a longer life than the kind allows, CLOCK for the future, EXPIRED. */
export function checkTime(record: SignedRecord, nowUnixSeconds: number): StoreStatus {
  const { issued, expires } = record;
  const lifetimeSecondsMax = kindForm(record.kind)?.lifetimeSecondsMax ?? 0;
  if (expires - issued > lifetimeSecondsMax) return MALFORMED;
  if (issued > nowUnixSeconds + clockToleranceSeconds) return CLOCK;
  return expires > nowUnixSeconds - clockToleranceSeconds ? OK : EXPIRED;
}

/** 5. As much work as the profile asks of the kind, or POW. Tombstones owe it like others. */
export function checkWork(record: SignedRecord, profile: NetworkProfile): StoreStatus {
  const bits = storedKind(record.kind)?.powBits(profile, record) ?? 0;
  return bits === 0 || powBitsOf(record) >= bits ? OK : POW;
}

/** 6. The author's signature for this network, or BAD_SIG: dear, hence late. */
export function checkSignature(record: SignedRecord, network: Bytes): StoreStatus {
  return isAuthentic(record, network) ? OK : BAD_SIG;
}

/**
 * 7. What a zone's name was certified for, or BAD_CERT: the zone's signature for this name and
 * author, and times that cover the record's. Nobody's clock is asked, so all storers agree for as
 * long as the record lives. Only after `checkKey`.
 */
export function checkCertificate(record: SignedRecord, network: Bytes): StoreStatus {
  const certificate = certificateOf(record);
  if (!certificate) return OK; // the key says: the open zone, or the author's own
  const { issued, expires, key, author: owner } = record;
  if (issued < certificate.notBefore || expires > certificate.notAfter) return BAD_CERT;
  return isCertified(certificate, { key, owner, network }) ? OK : BAD_CERT;
}

/** 8. The handovers that an open name shows, up to three, and its offer, or BAD_TRANSFER. */
export function checkTransfers(record: SignedRecord, network: Bytes): StoreStatus {
  return hasSoundTransfers(record, network) ? OK : BAD_TRANSFER;
}

/** 6–8: all signatures of a record. */
export function checkSignatures(record: SignedRecord, network: Bytes): StoreStatus {
  return (
    checkSignature(record, network) ||
    checkCertificate(record, network) ||
    checkTransfers(record, network)
  );
}

/**
 * Reading a record and verifying it, as one thing that can be put in place of another: where many
 * nodes share a process, what one of them found out can serve the others.
 */
export interface RecordReader {
  parse(bytes: Bytes): ParsedRecord;
  checkSignatures(record: SignedRecord, network: Bytes): StoreStatus;
}

export const recordReader: RecordReader = { parse: parseRecord, checkSignatures };

export interface Judging {
  readonly nowUnixSeconds: number;
  readonly profile: NetworkProfile;
  /** 16 bytes: `networkId(profile)`, computed once. */
  readonly network: Bytes;
}

/** Checks 2–8, for who got a record in answer to a GET. */
export function checkRecord(
  record: SignedRecord,
  { nowUnixSeconds, profile, network }: Judging,
): StoreStatus {
  return (
    checkKind(record) ||
    checkKey(record) ||
    checkTime(record, nowUnixSeconds) ||
    checkWork(record, profile) ||
    checkSignatures(record, network)
  );
}

/** The checks of a contact record, which came with PING from the node whose ID is `nodeId`. */
export function checkContactRecord(
  record: SignedRecord,
  { nodeId, nowUnixSeconds, network }: Omit<Judging, 'profile'> & { nodeId: Bytes },
): StoreStatus {
  if (record.kind !== recordKinds.contact) return KIND;
  if (kindForm(record.kind)?.hasValidBody(record) !== true) return MALFORMED;
  if (!equalBytes(record.key, nodeId)) return KEY_MISMATCH;
  return checkKey(record) || checkTime(record, nowUnixSeconds) || checkSignature(record, network);
}
