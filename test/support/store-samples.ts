/** Blocks and records that follow from a name, so that two processes agree on them. */
import { utf8 } from '../../src/base/bytes.ts';
import { sha256 } from '../../src/base/hash.ts';
import type { Block } from '../../src/content/ports.ts';
import type { Link } from '../../src/content/dag/root.ts';
import type { StoredRecord } from '../../src/dht/ports.ts';
import { sampleRecord } from '../conformance/sample-record.ts';

/** Every second one is small enough to stand in the index. */
export function childBlock(name: string): Block {
  const seed = sha256(utf8(name));
  const size = (seed[0] ?? 0) % 2 === 0 ? 500 + (seed[1] ?? 0) : 20_000 + (seed[1] ?? 0);
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at += seed.length) bytes.set(seed.subarray(0, size - at), at);
  return { hash: sha256(bytes), bytes };
}

export function childRecord(name: string): { slot: Uint8Array; stored: StoredRecord } {
  const key = sha256(utf8(name));
  const record = sampleRecord(key);
  return {
    slot: key.slice(0, 16),
    stored: { record, heldSinceMs: 1, refreshedMs: 2, provisional: false, source: '' },
  };
}

/** Of the holding that names all those blocks. */
export const childRoot: Link = { codec: 'raw', hash: sha256(utf8('the root of all')) };

export const churnBudgetBytes: number = 4 * 1024 * 1024;

/** One of a few hundred blocks of all sizes: tiny ones, 5 KB ones and such as need files. */
export function churnBlock(number: number): Block {
  const size = [40, 900, 2500, 5000, 7000, 20_000, 60_000][number % 7] ?? 40;
  const bytes = new Uint8Array(size).fill(number % 251);
  bytes.set(utf8(String(number)));
  return { hash: sha256(bytes), bytes };
}
