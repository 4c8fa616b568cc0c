/**
 * Writes record bodies in CBOR as a hostile author would: mostly right, with twists that a lenient
 * decoder lets pass. Without twists it writes the deterministic encoding.
 */
import { type Bytes, compareBytes, concatBytes, utf8 } from '../../src/base/bytes.ts';
import type { BodyValue } from '../../src/record/body.ts';
import type { Dice } from './dice.ts';

type Key = number | string;

/** One item in `rarity` is twisted; with Infinity none is. */
export function writeCbor(value: BodyValue, dice: Dice, rarity: number): Bytes {
  const isTwisted = Number.isFinite(rarity) && dice.oneIn(rarity);
  const write = (item: BodyValue): Bytes => writeCbor(item, dice, rarity);
  if (isTwisted && dice.oneIn(2)) return dice.pick(replacements)(dice, write(value));
  if (typeof value === 'number') return writeNumber(value, width(dice, isTwisted));
  if (typeof value === 'string') return writeText(3, utf8(value), dice, isTwisted);
  if (value instanceof Uint8Array) return writeText(2, value, dice, isTwisted);
  if (value instanceof Map) return writeMap(value, { dice, rarity, isTwisted });
  const items = (value as readonly BodyValue[]).map(write);
  if (isTwisted && dice.oneIn(2)) return concatBytes(Uint8Array.of(0x9f), ...items, breakCode);
  return concatBytes(head(4, items.length, width(dice, isTwisted)), ...items);
}

const breakCode = Uint8Array.of(0xff);

/** Octets of the argument: 0 for the shortest; a twist takes more than are needed. */
function width(dice: Dice, isTwisted: boolean): number {
  return isTwisted ? dice.pick([1, 2, 4, 8]) : 0;
}

function head(major: number, argument: number, octets: number): Bytes {
  const first = major << 5;
  const needed = neededOctets(argument);
  const count = Math.max(octets, needed);
  if (count === 0) return Uint8Array.of(first | argument);
  const info = { 1: 24, 2: 25, 4: 26, 8: 27 }[count] ?? 27;
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(argument));
  return concatBytes(Uint8Array.of(first | info), bytes.subarray(8 - count));
}

function neededOctets(argument: number): number {
  if (argument < 24) return 0;
  if (argument < 0x100) return 1;
  if (argument < 0x1_0000) return 2;
  return argument < 0x1_0000_0000 ? 4 : 8;
}

function writeNumber(value: number, octets: number): Bytes {
  return value < 0 ? head(1, -1 - value, octets) : head(0, value, octets);
}

function writeText(major: 2 | 3, bytes: Bytes, dice: Dice, isTwisted: boolean): Bytes {
  if (!isTwisted || dice.oneIn(2)) {
    return concatBytes(head(major, bytes.length, width(dice, isTwisted)), bytes);
  }
  const half = bytes.length >> 1;
  const chunks = [bytes.slice(0, half), bytes.slice(half)].flatMap((chunk) => [
    head(major, chunk.length, 0),
    chunk,
  ]);
  return concatBytes(Uint8Array.of((major << 5) | 31), ...chunks, breakCode);
}

function writeMap(
  map: ReadonlyMap<Key, BodyValue>,
  { dice, rarity, isTwisted }: { dice: Dice; rarity: number; isTwisted: boolean },
): Bytes {
  const pairs = [...map]
    .map(([key, value]) => [writeKey(key), writeCbor(value, dice, rarity)] as const)
    .toSorted(([a], [b]) => compareBytes(a, b));
  if (!isTwisted) return concatBytes(head(5, pairs.length, 0), ...pairs.flat());
  const [first] = pairs;
  switch (dice.below(5)) {
    case 0:
      return concatBytes(head(5, pairs.length, 0), ...pairs.toReversed().flat());
    case 1:
      return concatBytes(head(5, pairs.length + 1, 0), ...(first ?? []), ...pairs.flat());
    case 2:
      return concatBytes(Uint8Array.of(0xbf), ...pairs.flat(), breakCode);
    case 3:
      return concatBytes(head(5, pairs.length + dice.below(3), 0), ...pairs.flat());
    default:
      return concatBytes(head(5, pairs.length, width(dice, true)), ...pairs.flat());
  }
}

function writeKey(key: Key): Bytes {
  if (typeof key === 'number') return writeNumber(key, 0);
  const bytes = utf8(key);
  return concatBytes(head(3, bytes.length, 0), bytes);
}

type Replacement = (dice: Dice, item: Bytes) => Bytes;

const hex = (text: string): Bytes => new Uint8Array(Buffer.from(text, 'hex'));

/** By what is odd about them. */
const oddities: readonly Bytes[] = [
  'f90000 f93c00 f97e00 fa3f800000 fb3ff0000000000000 fbfff8000000000000', // floats
  'f4 f5 f6 f7 f0 f8ff e0 c24101 c0616100', // simple values and tags
  'ff 1c 1f 3f 1800 1817 5803', // break, reserved and longer forms, content that is missing
  '1b001fffffffffffff 1b0020000000000000 1bffffffffffffffff 20', // numbers at the edge
  '3b001ffffffffffffe 3b001fffffffffffff 3bffffffffffffffff',
  '5bffffffffffffffff 9bffffffffffffffff bb0000ffffffffffff 7a7fffffff', // huge lengths
  '62c328 61ff 63eda080 64f0808080 63efbbbf 6100', // broken UTF-8, a byte order mark, control
  '60 40 80 a0', // empty
].flatMap((line) => line.split(' ').map(hex));

const replacements: readonly Replacement[] = [
  (dice) => dice.pick(oddities),
  (dice) => dice.pick(oddities),
  (dice, item) => concatBytes(head(6, dice.below(70_000), 0), item),
  (dice, item) => concatBytes(new Uint8Array(1 + dice.below(12)).fill(0x81), item),
  (dice, item) =>
    concatBytes(...Array.from({ length: 1 + dice.below(600) }, () => hex('a100')), item),
  (dice) => concatBytes(head(2, dice.below(100), 0), dice.bytes(dice.below(100))),
  (dice) => writeNumber(dice.below(2 ** 32) - 2 ** 31, 0),
  () => new Uint8Array(0),
];
