/** What the answers to a publication mean for the record that was published. Pure. */
import { type Bytes, equalBytes, toHex } from '../../base/bytes.ts';
import { compareRecords, type SignedRecord } from '../../record/envelope.ts';
import { type StoreStatus, storeStatuses } from '../../record/kinds.ts';
import { slotOf } from '../../record/registry.ts';
import { compareClaims } from '../../record/transfer.ts';
import type { StoreResult } from './storing.ts';

/** What its author published after it, as storers have shown. */
export function newestSuccessor(
  record: SignedRecord,
  { refusals }: StoreResult,
): SignedRecord | undefined {
  return refusals
    .flatMap(({ conflicting }) => conflicting)
    .filter((other) => isSuccessor(other, record))
    .toSorted((a, b) => compareRecords(b, a))
    .at(0);
}

/**
 * Whether it makes no sense to go on, as the name is another's at most of those who should hold it.
 * Fewer do not decide: while the others cannot be reached, one storer could end a name.
 */
export function isTaken({ asked, refusals }: StoreResult): boolean {
  const taken = refusals.find(({ status }) => status === storeStatuses.NAME_TAKEN);
  return taken !== undefined && taken.count * 2 > asked;
}

/** Whether its author signed the name over to who has it now: one who shows it is enough. */
export function isPassedOn(
  record: SignedRecord,
  { refusals }: StoreResult,
  network: Bytes,
): boolean {
  return refusals
    .filter(({ status }) => status === storeStatuses.NAME_TAKEN)
    .flatMap(({ conflicting }) => conflicting)
    .some((other) => compareClaims(other, record, network) > 0);
}

const quotaStatuses: ReadonlySet<StoreStatus> = new Set([
  storeStatuses.QUOTA_KEY,
  storeStatuses.QUOTA_AUTHOR,
  storeStatuses.QUOTA_NET,
  storeStatuses.QUOTA_TOTAL,
]);

/** There is no room for it: most refusals are for that. */
export function isOverQuota({ refusals }: StoreResult): boolean {
  const forQuota = refusals.filter(({ status }) => quotaStatuses.has(status));
  return forQuota.length > 0 && countOf(forQuota) * 2 >= countOf(refusals);
}

/** Fewer than a quarter hold it: they may lie, and even if not, it is soon lost. */
export function isThin({ stored, asked }: StoreResult): boolean {
  return stored * 4 < asked;
}

function countOf(refusals: StoreResult['refusals']): number {
  return refusals.reduce((sum, { count }) => sum + count, 0);
}

/** Nobody said anything to it. */
export function isUnheard({
  asked,
  holders,
  refusals,
}: Pick<StoreResult, 'asked' | 'holders' | 'refusals'>): boolean {
  return asked > 0 && holders.length === 0 && refusals.length === 0;
}

/** More than half want us to come back later. */
export function isPutOff({ asked, refusals }: Pick<StoreResult, 'asked' | 'refusals'>): boolean {
  const put = refusals.find(({ status }) => status === storeStatuses.RATE);
  return put !== undefined && put.count * 2 > asked;
}

export function waitMsOf({ refusals }: Pick<StoreResult, 'refusals'>): number {
  const put = refusals.find(({ status }) => status === storeStatuses.RATE);
  return (put?.detail ?? 0) * 1000;
}

/** As a storer that has the newer record would answer. */
export function refusedFor(newer: SignedRecord): StoreResult {
  const refusal = { status: storeStatuses.SEQ_OLD, count: 1, conflicting: [newer] };
  return { stored: 0, asked: 0, refusals: [refusal], holders: [] };
}

export function isSuccessor(other: SignedRecord, record: SignedRecord): boolean {
  if (!equalBytes(other.key, record.key)) return false;
  const sameAuthor = equalBytes(other.author, record.author);
  const sameSlot = other.kind === record.kind && equalBytes(slotOf(other), slotOf(record));
  return sameAuthor && sameSlot && compareRecords(other, record) > 0;
}

export function placeOf(record: SignedRecord): string {
  return `${toHex(record.key)}/${toHex(slotOf(record))}`;
}
