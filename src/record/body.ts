/**
 * Record bodies: deterministic CBOR maps with integer keys (docs/spec/records.md, "Body"). Knows
 * the encoding and nothing of what the fields of a kind mean.
 */
import { decode, encode, rfc8949EncodeOptions } from 'cborg';
import { type Bytes, equalBytes } from '../base/bytes.ts';

/** No floats, no null, no tags: whole numbers within ±(2^53 − 1), text, bytes, arrays, maps. */
export type BodyValue =
  | number
  | string
  | Bytes
  | readonly BodyValue[]
  | ReadonlyMap<number | string, BodyValue>;

export type Body = ReadonlyMap<number, BodyValue>;

/** Deep enough for a list of lists within a field; keeps hostile nesting out of later code. */
const depthMax = 4;

const decodeOptions = {
  strict: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowInfinity: false,
  allowNaN: false,
  allowBigInt: false,
  useMaps: true,
  rejectDuplicateMapKeys: true,
};

/** Fields whose value is undefined are left out. */
export function encodeBody(fields: ReadonlyMap<number, BodyValue | undefined>): Bytes {
  const present = [...fields].filter(([, value]) => value !== undefined);
  return Uint8Array.from(encode(new Map(present), rfc8949EncodeOptions));
}

/**
 * The map that `bytes` encode, or undefined when they are anything but the one deterministic
 * encoding of such a map. The decoder does not enforce the order of keys, so the proof of
 * determinism is that encoding again gives the same bytes.
 */
export function decodeBody(bytes: Bytes): Body | undefined {
  try {
    const value: unknown = decode(bytes, decodeOptions);
    if (!(value instanceof Map) || !isBodyValue(value, 0)) return undefined;
    if (![...value.keys()].every((key) => typeof key === 'number')) return undefined;
    return equalBytes(encode(value, rfc8949EncodeOptions), bytes) ? (value as Body) : undefined;
  } catch {
    return undefined; // whatever the decoder disliked, the answer is MALFORMED
  }
}

function isBodyValue(value: unknown, depth: number): boolean {
  if (depth > depthMax) return false;
  if (typeof value === 'number') return Number.isSafeInteger(value);
  if (typeof value === 'string') return isText(value);
  if (value instanceof Uint8Array) return true;
  if (Array.isArray(value)) return value.every((item) => isBodyValue(item, depth + 1));
  if (!(value instanceof Map)) return false;
  return [...value].every(
    ([key, item]) =>
      (typeof key === 'string' ? isText(key) : Number.isSafeInteger(key)) &&
      isBodyValue(item, depth + 1),
  );
}

/**
 * Some decoders drop a byte order mark and some keep it. Whoever drops it sees two encodings of one
 * text, so none is allowed.
 */
function isText(value: string): boolean {
  return !value.startsWith('\uFEFF');
}
