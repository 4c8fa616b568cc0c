/**
 * The rules of record bodies and envelopes once more, written from docs/spec/records.md and not
 * from the code: what fuzzing compares the code's verdict with.
 */
import { type Bytes, compareBytes } from '../../src/base/bytes.ts';

/** Size, format, kind, flags, lengths and times as in "Envelope", and a body as in "Body". */
export function isWellFormed(record: Bytes): boolean {
  if (record.length < 158 || record.length > 1000) return false;
  const head = Buffer.from(record);
  const [format, kind] = [head.readUInt8(0), head.readUInt8(1)];
  if (format !== 1 || kind < 1 || kind > 6 || head.readUInt16BE(2) > 1) return false;
  if (head.readUInt32BE(80) <= head.readUInt32BE(76)) return false;
  const bodyEnd = 94 + head.readUInt16BE(92);
  return bodyEnd + 64 === record.length && isDeterministic(record.subarray(94, bodyEnd));
}

/** Whether `body` is one map with integer keys in core deterministic encoding, within the limits. */
export function isDeterministic(body: Bytes): boolean {
  const cursor = { bytes: body, at: 0 };
  return (body[0] ?? 0) >> 5 === 5 && skipItem(cursor, 0) && cursor.at === body.length;
}

interface Cursor {
  readonly bytes: Bytes;
  at: number;
}

const depthMax = 4;

/** Moves past one item; false for anything that is not allowed. */
function skipItem(cursor: Cursor, depth: number): boolean {
  if (depth > depthMax) return false;
  const major = (cursor.bytes[cursor.at] ?? 0) >> 5;
  const argument = takeHead(cursor);
  if (argument === undefined) return false;
  if (major === 0) return argument <= Number.MAX_SAFE_INTEGER;
  if (major === 1) return argument < Number.MAX_SAFE_INTEGER;
  if (major === 2 || major === 3) return skipString(cursor, argument, major === 3);
  if (major === 4) {
    for (let left = argument; left > 0; left--) if (!skipItem(cursor, depth + 1)) return false;
    return true;
  }
  return major === 5 && skipMap(cursor, argument, depth);
}

/** The argument in its shortest form; undefined for another form, and for indefinite lengths. */
function takeHead(cursor: Cursor): number | undefined {
  const first = cursor.bytes[cursor.at];
  if (first === undefined) return undefined;
  const info = first & 31;
  cursor.at += 1;
  if (info < 24) return info;
  if (info > 27) return undefined;
  const octets = 1 << (info - 24);
  const end = cursor.at + octets;
  if (end > cursor.bytes.length) return undefined;
  let value = 0n;
  while (cursor.at < end) value = (value << 8n) | BigInt(cursor.bytes[cursor.at++] ?? 0);
  const shortest = octets === 1 ? 24n : 1n << BigInt(4 * octets);
  return value < shortest || value > BigInt(Number.MAX_SAFE_INTEGER) ? undefined : Number(value);
}

function skipString(cursor: Cursor, length: number, asText: boolean): boolean {
  const content = cursor.bytes.subarray(cursor.at, cursor.at + length);
  cursor.at += length;
  return content.length === length && (!asText || isText(content));
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Text may not begin with a byte order mark. */
function isText(bytes: Bytes): boolean {
  try {
    return !decoder.decode(bytes).startsWith('\uFEFF');
  } catch {
    return false;
  }
}

/** Keys ascend in the order of their encodings; those of the body are integers. */
function skipMap(cursor: Cursor, count: number, depth: number): boolean {
  let before: Bytes | undefined;
  for (let left = count; left > 0; left--) {
    const start = cursor.at;
    const major = (cursor.bytes[start] ?? 0) >> 5;
    if (major > 1 && (major !== 3 || depth === 0)) return false;
    if (!skipItem(cursor, depth)) return false;
    const key = cursor.bytes.subarray(start, cursor.at);
    if (before && compareBytes(before, key) >= 0) return false;
    before = key;
    if (!skipItem(cursor, depth + 1)) return false;
  }
  return true;
}
