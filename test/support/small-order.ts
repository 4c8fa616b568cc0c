/** Keys for which anybody can sign: all that `src/identity/point.ts` must refuse. */
import { type Bytes, parseHex } from '../../src/base/bytes.ts';

/** y-coordinates of the points of order 1, 2, 4 and 8. */
const ys = [
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '0000000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
];

/** Every encoding of such a point, with either sign. */
export function smallOrderPoints(): Bytes[] {
  return ys.flatMap((hex) => {
    const positive = parseHex(hex) ?? new Uint8Array();
    const negative = positive.slice();
    negative[31] = (negative[31] ?? 0) | 0x80;
    return [positive, negative];
  });
}
