/** When a published record needs its publisher's care, and what a fresh copy of it looks like. */
import { equalBytes } from '../../base/bytes.ts';
import type { SigningKey } from '../../identity/key.ts';
import { clockToleranceSeconds } from '../../record/acceptance.ts';
import { type RecordKind, recordKinds } from '../../record/kinds.ts';
import { signRecord, type SignedRecord } from '../../record/envelope.ts';
import { storedKind } from '../../record/registry.ts';
import { certificateOf } from '../../record/zone.ts';
import type { PublishedRecord } from '../ports.ts';

/**
 * Unix milliseconds of the next publication: after 80–100 % of the kind's interval, each record at
 * a time of its own; at once when nobody holds it yet.
 */
export function republishAtMs({ record, publishedMs }: PublishedRecord): number {
  const intervalMs = (storedKind(record.kind)?.publisherRepublishSeconds ?? 0) * 1000;
  const share = (record.hash[0] ?? 0) / 256;
  return publishedMs === 0 ? 0 : publishedMs + intervalMs * (1 - 0.2 * share);
}

/**
 * Whether it is time to publish it again. A publication in the future was another clock's; but a
 * clock that was put back by a few minutes must not have everything published again.
 */
export function isRepublicationDue(entry: PublishedRecord, nowMs: number): boolean {
  const isFromLater = nowMs < entry.publishedMs - clockToleranceSeconds * 1000;
  return nowMs >= republishAtMs(entry) || isFromLater;
}

/** Revocations are urgent. Names are asked for most, and few; links are many, and in company. */
const kindOrder: readonly RecordKind[] = [
  recordKinds.revocations,
  recordKinds.name,
  recordKinds.pkName,
  recordKinds.provider,
];

/** For sorting: of two that need care, the more urgent one first. */
export function compareUrgency(a: PublishedRecord, b: PublishedRecord): number {
  return rankOf(a) - rankOf(b) || lostAtMs(a) - lostAtMs(b);
}

function rankOf({ record }: PublishedRecord): number {
  const rank = kindOrder.indexOf(record.kind);
  return rank < 0 ? kindOrder.length : rank;
}

/** Unix milliseconds when storers forget it; before all others what was never stored. */
function lostAtMs({ record, publishedMs }: PublishedRecord): number {
  const seconds = storedKind(record.kind)?.storerDropSeconds ?? Number.POSITIVE_INFINITY;
  return publishedMs === 0 ? 0 : Math.min(record.expires * 1000, publishedMs + seconds * 1000);
}

/**
 * Less than half of its life is left, or it was signed while this node's clock was far ahead and
 * nobody takes it. A withdrawal is renewed for the second reason only: it has to end. A list of
 * revocations says itself until when it holds: only who keeps the list can sign it anew. A name of
 * a zone ends with its certificate: a new one has to come from its registrar.
 */
export function needsRenewal(record: SignedRecord, nowUnixSeconds: number): boolean {
  const { kind, tombstone, issued, expires } = record;
  if (kind === recordKinds.revocations || !isCovered(record, nowUnixSeconds)) return false;
  if (issued > nowUnixSeconds + clockToleranceSeconds) return true;
  if (tombstone || expires >= coveredUntil(record)) return false;
  return nowUnixSeconds > issued + (expires - issued) / 2;
}

/** Whether its certificate, if it has one, covers what is signed now. */
function isCovered(record: SignedRecord, nowUnixSeconds: number): boolean {
  const notBefore = certificateOf(record)?.notBefore ?? 0;
  return notBefore <= nowUnixSeconds && nowUnixSeconds < coveredUntil(record);
}

/** Unix seconds: no record with this one's certificate may expire later. */
function coveredUntil(record: SignedRecord): number {
  return certificateOf(record)?.notAfter ?? Number.POSITIVE_INFINITY;
}

export function isExpired({ expires }: SignedRecord, nowUnixSeconds: number): boolean {
  return nowUnixSeconds >= expires;
}

/**
 * The same statement, one version up and as long-lived as before, if its certificate allows that;
 * the work done for it stays.
 */
export function renew(
  record: SignedRecord,
  {
    key,
    nowUnixSeconds,
    network,
  }: { key: SigningKey; nowUnixSeconds: number; network: Uint8Array },
): SignedRecord {
  const { kind, tombstone, key: place, powNonce, body, seq, issued, expires } = record;
  const ends = Math.min(nowUnixSeconds + (expires - issued), coveredUntil(record));
  const times = { issued: nowUnixSeconds, expires: ends };
  const fields = { kind, tombstone, key: place, powNonce, body, seq: seq + 1n, ...times };
  return signRecord(fields, key, network);
}

/** The one of `keys` that signed this record. */
export function signerOf(
  record: SignedRecord,
  keys: readonly SigningKey[],
): SigningKey | undefined {
  return keys.find(({ publicKey }) => equalBytes(publicKey, record.author));
}
