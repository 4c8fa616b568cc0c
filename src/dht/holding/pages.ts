/** What one reply to GET holds of the records under a key. */
import { type Bytes, equalBytes } from '../../base/bytes.ts';
import { sha256 } from '../../base/hash.ts';
import { compareDistance } from '../distance.ts';
import type { GetRequest, RecordDigest, StoredRecord } from '../ports.ts';

/** Octets of records in a reply, each with two of length: what its datagram leaves them. */
const recordOctetsMax = 1075;
const digestsMax = 23;
/** The last cursor that two octets can say. */
const cursorMax = 0xffff;

export interface Page {
  readonly records: readonly Bytes[];
  /** For each of `records`. */
  readonly provisional: readonly boolean[];
  readonly digests: readonly RecordDigest[];
  readonly next: number | undefined;
}

/**
 * The page at `cursor`. Every holder serves its records in an order of its own, so that who asks
 * several of them, and may read only some pages of each, still sees all records.
 */
export function pageOf(
  held: readonly StoredRecord[],
  { mode, minSeq, cursor, ids }: GetRequest,
  { self, nowMs }: { self: Bytes; nowMs: number },
): Page {
  const wanted = held
    .filter(({ record }) => record.seq >= minSeq)
    .filter(({ record }) => mode !== 'by-id' || ids.some((id) => startsWith(record.hash, id)))
    .toSorted((a, b) => compareDistance(self, a.record.hash, b.record.hash))
    .slice(cursor);
  const count = mode === 'digest' ? Math.min(wanted.length, digestsMax) : fitting(wanted);
  const end = cursor + count;
  const page = wanted.slice(0, count);
  return {
    records: mode === 'digest' ? [] : page.map(({ record }) => record.bytes),
    provisional: mode === 'digest' ? [] : page.map(({ provisional }) => provisional),
    digests: mode === 'digest' ? page.map((stored) => digestOf(stored, nowMs)) : [],
    next: count > 0 && count < wanted.length && end <= cursorMax ? end : undefined,
  };
}

function fitting(wanted: readonly StoredRecord[]): number {
  let octets = 0;
  const end = wanted.findIndex(({ record }) => {
    octets += 2 + record.bytes.length;
    return octets > recordOctetsMax;
  });
  return end < 0 ? wanted.length : end;
}

function startsWith(hash: Bytes, id: Bytes): boolean {
  return equalBytes(hash.subarray(0, id.length), id);
}

const hourMs = 3_600_000;

function digestOf(stored: StoredRecord, nowMs: number): RecordDigest {
  const { record, heldSinceMs, provisional } = stored;
  const heldHours = Math.floor((nowMs - heldSinceMs) / hourMs);
  return {
    hash: record.hash.slice(0, 16),
    author: sha256(record.author).slice(0, 16),
    seq: record.seq,
    heldHours: Math.max(0, Math.min(heldHours, 0xffff)),
    size: record.bytes.length,
    provisional,
  };
}
