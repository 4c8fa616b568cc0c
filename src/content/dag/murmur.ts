/**
 * The hash by which UnixFS spreads the names of a large folder over its shards: the first 64 bits
 * of MurmurHash3 x64 128, seed 0. Not a cryptographic hash and used for nothing else.
 */
import { type Bytes, asBuffer } from '../../base/bytes.ts';

const mask = 0xffff_ffff_ffff_ffffn;
const c1 = 0x87c3_7b91_1142_53d5n;
const c2 = 0x4cf5_ad43_2745_937fn;

function rotate(x: bigint, bits: bigint): bigint {
  return ((x << bits) | (x >> (64n - bits))) & mask;
}

function finish(x: bigint): bigint {
  let h = x;
  h = ((h ^ (h >> 33n)) * 0xff51_afd7_ed55_8ccdn) & mask;
  h = ((h ^ (h >> 33n)) * 0xc4ce_b9fe_1a85_ec53n) & mask;
  return h ^ (h >> 33n);
}

function mixLow(k: bigint): bigint {
  return (rotate((k * c1) & mask, 31n) * c2) & mask;
}

function mixHigh(k: bigint): bigint {
  return (rotate((k * c2) & mask, 33n) * c1) & mask;
}

/** 8 bytes, big-endian: one byte per level of a 256-way trie. */
export function murmur3(input: Bytes): Bytes {
  const blocks = Math.floor(input.length / 16);
  const padded = Buffer.alloc((blocks + 1) * 16);
  padded.set(asBuffer(input));
  let h1 = 0n;
  let h2 = 0n;
  for (let i = 0; i < blocks; i++) {
    h1 = rotate(h1 ^ mixLow(padded.readBigUInt64LE(i * 16)), 27n);
    h1 = ((h1 + h2) * 5n + 0x52dc_e729n) & mask;
    h2 = rotate(h2 ^ mixHigh(padded.readBigUInt64LE(i * 16 + 8)), 31n);
    h2 = ((h2 + h1) * 5n + 0x3849_5ab5n) & mask;
  }
  // Zero bytes of the padding mix to zero, as the tail of the algorithm demands.
  h1 ^= mixLow(padded.readBigUInt64LE(blocks * 16));
  h2 ^= mixHigh(padded.readBigUInt64LE(blocks * 16 + 8));
  const length = BigInt(input.length);
  h1 = ((h1 ^ length) + (h2 ^ length)) & mask;
  h2 = ((h2 ^ length) + h1) & mask;
  const hash = Buffer.alloc(8);
  hash.writeBigUInt64BE((finish(h1) + finish(h2)) & mask);
  return new Uint8Array(hash);
}
