/**
 * How a record and what its holder remembers of it look on the disk (docs/spec/store.md). Pure.
 * What cannot be read gives undefined: a newer program may have left it, or the disk is bad, and
 * a lost copy of a record is no reason to stop.
 */
import { asBuffer, type Bytes, parseUtf8, utf8 } from '../base/bytes.ts';
import type { PublishedRecord, StoredRecord } from '../dht/ports.ts';
import { parseRecord, type SignedRecord } from '../record/envelope.ts';

export const slotBytesMax = 64;
const keyBytes = 32;
const provisionalFlag = 1;
const storedHeadBytes = 18;
const publishedHeadBytes = 8;

/** 32 to 96 bytes: key ‖ slot, so that the slots of a key stand together. */
export function encodeSlotKey(key: Bytes, slot: Bytes): Bytes {
  if (key.length !== keyBytes || slot.length > slotBytesMax) {
    throw new RangeError('a slot has at most 64 bytes, under a key of 32');
  }
  const bytes = new Uint8Array(keyBytes + slot.length);
  bytes.set(key);
  bytes.set(slot, keyBytes);
  return bytes;
}

export function slotIn(slotKey: Bytes): Bytes {
  return new Uint8Array(slotKey.subarray(keyBytes));
}

export function keyOf(slotKey: Bytes): Bytes {
  return new Uint8Array(slotKey.subarray(0, keyBytes));
}

export function slotOf(slotKey: Bytes): Bytes {
  return new Uint8Array(slotKey.subarray(keyBytes));
}

export function encodeStoredRecord(stored: StoredRecord): Bytes {
  const source = utf8(stored.source);
  if (source.length > 255) throw new RangeError('a source has at most 255 bytes');
  const bytes = Buffer.alloc(storedHeadBytes + source.length + stored.record.bytes.length);
  bytes.writeUInt8(stored.provisional ? provisionalFlag : 0, 0);
  bytes.writeDoubleBE(stored.heldSinceMs, 1);
  bytes.writeDoubleBE(stored.refreshedMs, 9);
  bytes.writeUInt8(source.length, 17);
  bytes.set(source, storedHeadBytes);
  bytes.set(stored.record.bytes, storedHeadBytes + source.length);
  return bytes;
}

export function decodeStoredRecord(bytes: Bytes): StoredRecord | undefined {
  if (bytes.length < storedHeadBytes) return undefined;
  const head = asBuffer(bytes);
  const recordAt = storedHeadBytes + head.readUInt8(17);
  const source = parseUtf8(bytes.subarray(storedHeadBytes, recordAt));
  const record = recordFrom(bytes.subarray(recordAt));
  if (source === undefined || !record) return undefined;
  return {
    record,
    heldSinceMs: head.readDoubleBE(1),
    refreshedMs: head.readDoubleBE(9),
    provisional: (head.readUInt8(0) & provisionalFlag) !== 0,
    source,
  };
}

export function encodePublishedRecord({ record, publishedMs }: PublishedRecord): Bytes {
  const bytes = Buffer.alloc(publishedHeadBytes + record.bytes.length);
  bytes.writeDoubleBE(publishedMs, 0);
  bytes.set(record.bytes, publishedHeadBytes);
  return bytes;
}

export function decodePublishedRecord(bytes: Bytes): PublishedRecord | undefined {
  if (bytes.length < publishedHeadBytes) return undefined;
  const record = recordFrom(bytes.subarray(publishedHeadBytes));
  return record && { record, publishedMs: asBuffer(bytes).readDoubleBE(0) };
}

function recordFrom(bytes: Bytes): SignedRecord | undefined {
  const parsed = parseRecord(bytes);
  return parsed.ok ? parsed.record : undefined;
}
