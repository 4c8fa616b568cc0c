/** When a published record needs its publisher's care, and what a fresh copy of it looks like. */
import { equalBytes } from '../../base/bytes.ts';
import type { SigningKey } from '../../identity/key.ts';
import { clockToleranceSeconds } from '../../record/acceptance.ts';
import { signRecord, type SignedRecord } from '../../record/envelope.ts';
import { storedKind } from '../../record/registry.ts';
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

/** Whether it is time to publish it again; a publication in the future was another clock's. */
export function isRepublicationDue(entry: PublishedRecord, nowMs: number): boolean {
  return nowMs >= republishAtMs(entry) || nowMs < entry.publishedMs;
}

/**
 * Less than half of its life is left, or it was signed while this node's clock was far ahead and
 * nobody takes it. A withdrawal is renewed for the second reason only: it has to end.
 */
export function needsRenewal(record: SignedRecord, nowUnixSeconds: number): boolean {
  const { tombstone, issued, expires } = record;
  if (issued > nowUnixSeconds + clockToleranceSeconds) return true;
  return !tombstone && nowUnixSeconds > issued + (expires - issued) / 2;
}

export function isExpired({ expires }: SignedRecord, nowUnixSeconds: number): boolean {
  return nowUnixSeconds >= expires;
}

/** The same statement, one version up and as long-lived as before; the work done for it stays. */
export function renew(
  record: SignedRecord,
  {
    key,
    nowUnixSeconds,
    network,
  }: { key: SigningKey; nowUnixSeconds: number; network: Uint8Array },
): SignedRecord {
  const { kind, tombstone, key: place, powNonce, body, seq, issued, expires } = record;
  const times = { issued: nowUnixSeconds, expires: nowUnixSeconds + (expires - issued) };
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
