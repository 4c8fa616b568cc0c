/** Mutations that know nothing of what they change: flipped bits, cut, repeated and mixed pieces. */
import { type Bytes, concatBytes } from '../../src/base/bytes.ts';
import type { Dice } from './dice.ts';

type Mutation = (bytes: Bytes, dice: Dice, other: Bytes) => Bytes;

const telling = [
  0, 1, 0x17, 0x18, 0x19, 0x1b, 0x1f, 0x40, 0x7f, 0x80, 0x9f, 0xbf, 0xf7, 0xfb, 0xff,
];

const mutations: readonly Mutation[] = [
  function flipBit(bytes, dice) {
    const at = dice.below(bytes.length);
    return bytes.with(at, (bytes[at] ?? 0) ^ (1 << dice.below(8)));
  },
  function setOctet(bytes, dice) {
    return bytes.with(dice.below(bytes.length), dice.pick(telling));
  },
  function addOne(bytes, dice) {
    const at = dice.below(bytes.length);
    return bytes.with(at, (bytes[at] ?? 0) + dice.pick([1, 255]));
  },
  function truncate(bytes, dice) {
    return bytes.slice(0, dice.below(bytes.length + 1));
  },
  function extend(bytes, dice) {
    return concatBytes(bytes, dice.bytes(1 + dice.below(40)));
  },
  function remove(bytes, dice) {
    const at = dice.below(bytes.length);
    return concatBytes(bytes.slice(0, at), bytes.slice(at + 1 + dice.below(16)));
  },
  function repeat(bytes, dice) {
    const at = dice.below(bytes.length);
    const end = at + 1 + dice.below(64);
    return concatBytes(bytes.slice(0, end), bytes.slice(at));
  },
  function insert(bytes, dice) {
    const at = dice.below(bytes.length);
    return concatBytes(bytes.slice(0, at), dice.bytes(1 + dice.below(8)), bytes.slice(at));
  },
  function overwrite(bytes, dice) {
    const at = dice.below(bytes.length);
    const noise = dice.bytes(Math.min(bytes.length - at, 1 + dice.below(32)));
    const mixed = bytes.slice();
    mixed.set(noise, at);
    return mixed;
  },
  function splice(bytes, dice, other) {
    return concatBytes(
      bytes.slice(0, dice.below(bytes.length)),
      other.slice(dice.below(other.length)),
    );
  },
];

/** More than any datagram or record may have: longer input would only waste time. */
const bytesMax = 4096;

/** One to four mutations one after another; sometimes nothing but noise. */
export function mutateOctets(bytes: Bytes, dice: Dice, other: Bytes): Bytes {
  if (dice.oneIn(64)) return dice.bytes(dice.below(1300));
  let mutated = bytes;
  for (let left = 1 + dice.below(4); left > 0; left--) {
    if (mutated.length === 0) return mutated;
    mutated = dice.pick(mutations)(mutated, dice, other);
  }
  return mutated.slice(0, bytesMax);
}
