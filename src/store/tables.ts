/** Reading ranges of a table. Knows keys as bytes and nothing of values. */
import { asBuffer, type Bytes } from '../base/bytes.ts';
import type { KeyRange, Table, TableEntry } from './table.ts';

/** All keys that begin with `prefix`. */
export function prefixRange(prefix: Bytes): Pick<KeyRange, 'end'> & { readonly start: Bytes } {
  const end = new Uint8Array(prefix);
  for (let at = end.length - 1; at >= 0; at--) {
    const byte = end[at] ?? 0;
    if (byte === 0xff) continue;
    end[at] = byte + 1;
    return { start: prefix, end: end.slice(0, at + 1) };
  }
  return { start: prefix };
}

const pageEntries = 256;

/**
 * Every entry, in order of key. It reads a page at a time, so the reader may wait or write
 * between two entries without holding an old state of the database alive.
 */
export function* tableEntries(table: Table): Iterable<TableEntry> {
  let after: Bytes | undefined;
  for (;;) {
    const from = after ? { start: after, exclusiveStart: true } : {};
    const page = table.entries({ ...from, limit: pageEntries });
    yield* page;
    after = page.at(-1)?.key;
    if (!after || page.length < pageEntries) return;
  }
}

/** Few: who asks mostly wants the first. */
const pageKeys = 32;

/** Every key from `from` on, in order; read a page at a time, as `tableEntries` does. */
export function* tableKeys(table: Table, from: Bytes): Iterable<Bytes> {
  let range: { start: Bytes; exclusiveStart?: boolean } = { start: from };
  for (;;) {
    const page = table.keys({ ...range, limit: pageKeys });
    yield* page;
    const after = page.at(-1);
    if (!after || page.length < pageKeys) return;
    range = { start: after, exclusiveStart: true };
  }
}

/** Bytes as the key of a Map or Set: one byte per character, half the memory of hex. */
export function textOf(bytes: Bytes): string {
  return asBuffer(bytes).toString('latin1');
}
