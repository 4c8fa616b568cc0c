/**
 * A million digests of 32 bytes, each with a number: about 50 MB, and no object for any of them.
 * The digests lie one behind the other in segments; 256 small tables of open addressing say where.
 * A table is made larger on its own, so no single step takes long however many there are. It must
 * not know what the digests are of.
 */
import type { Bytes } from '../base/bytes.ts';

const digestBytes = 32;
const digestWords = digestBytes / 4;
const segmentEntries = 2048;
const shardCount = 256;
const slotsMin = 8;

/** Random words that make one table: who chooses digests cannot choose where they collide. */
export const seedBytes = 32;

interface Segment {
  readonly digests: Uint32Array;
  readonly values: Uint32Array;
}

interface Shard {
  /** The entry's place plus 1; 0 is free. A power of two long, at most 2/3 taken. */
  slots: Uint32Array;
  used: number;
}

export class DigestTable {
  readonly #seed: Uint32Array;
  readonly #segments: Segment[] = []; // BOUNDED by the caller, who reads a file of limited size
  readonly #shards: (Shard | undefined)[]; // BOUNDED by shardCount
  /** The digest in question, as octets and as words. */
  readonly #asked = new Uint8Array(digestBytes);
  readonly #askedWords = new Uint32Array(this.#asked.buffer);
  #size = 0;

  constructor(seed: Bytes) {
    this.#seed = new Uint32Array(seed.slice(0, seedBytes).buffer);
    for (let i = 0; i < digestWords; i++) this.#seed[i] = (this.#seed[i] ?? 0) | 1;
    this.#shards = Array.from({ length: shardCount }, () => undefined);
  }

  get size(): number {
    return this.#size;
  }

  /** The number that was last set for this digest, 32 bytes; 0 when none was. */
  get(digest: Bytes): number {
    if (this.#size === 0) return 0;
    this.#asked.set(digest);
    const hash = this.#hashOf(this.#askedWords, 0);
    const shard = this.#shards[hash >>> 24];
    if (!shard) return 0;
    const place = shard.slots[this.#slotOf(shard, hash)] ?? 0;
    return place === 0 ? 0 : this.#valueAt(place - 1);
  }

  /** `value` is a whole number below 2^32; 0 is as if the digest had never been set. */
  set(digest: Bytes, value: number): void {
    this.#asked.set(digest);
    const hash = this.#hashOf(this.#askedWords, 0);
    const shard = (this.#shards[hash >>> 24] ??= { slots: new Uint32Array(slotsMin), used: 0 });
    const slot = this.#slotOf(shard, hash);
    const place = shard.slots[slot] ?? 0;
    if (place !== 0) return this.#setValueAt(place - 1, value);
    shard.slots[slot] = this.#append(value) + 1;
    if (++shard.used * 3 > shard.slots.length * 2) this.#widen(shard);
  }

  /** The slot that holds the digest in question, or the free one where it belongs. */
  #slotOf({ slots }: Shard, hash: number): number {
    const mask = slots.length - 1;
    let slot = hash & mask;
    for (;;) {
      const place = slots[slot] ?? 0;
      if (place === 0 || this.#isAskedAt(place - 1)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #isAskedAt(entry: number): boolean {
    const { digests } = this.#segmentOf(entry);
    const from = (entry % segmentEntries) * digestWords;
    for (let i = 0; i < digestWords; i++) {
      if (digests[from + i] !== this.#askedWords[i]) return false;
    }
    return true;
  }

  #append(value: number): number {
    const entry = this.#size++;
    if (entry % segmentEntries === 0) {
      this.#segments.push({
        digests: new Uint32Array(segmentEntries * digestWords),
        values: new Uint32Array(segmentEntries),
      });
    }
    this.#segmentOf(entry).digests.set(this.#askedWords, (entry % segmentEntries) * digestWords);
    this.#setValueAt(entry, value);
    return entry;
  }

  #widen(shard: Shard): void {
    const old = shard.slots;
    const slots = new Uint32Array(old.length * 2);
    const mask = slots.length - 1;
    for (const place of old) {
      if (place === 0) continue;
      const from = ((place - 1) % segmentEntries) * digestWords;
      let slot = this.#hashOf(this.#segmentOf(place - 1).digests, from) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = place;
    }
    shard.slots = slots;
  }

  /** 32 bits that depend on all of the digest in a way that only this process knows. */
  #hashOf(words: Uint32Array, from: number): number {
    let hash = 0;
    for (let i = 0; i < digestWords; i++) {
      hash = Math.imul(hash ^ (words[from + i] ?? 0), this.#seed[i] ?? 1);
      hash ^= hash >>> 15;
    }
    hash = Math.imul(hash, 0x2c1b_3c6d);
    return (hash ^ (hash >>> 13)) >>> 0;
  }

  #valueAt(entry: number): number {
    return this.#segmentOf(entry).values[entry % segmentEntries] ?? 0;
  }

  #setValueAt(entry: number, value: number): void {
    this.#segmentOf(entry).values[entry % segmentEntries] = value;
  }

  #segmentOf(entry: number): Segment {
    const segment = this.#segments[Math.floor(entry / segmentEntries)];
    if (!segment) throw new RangeError('no such entry');
    return segment;
  }
}
