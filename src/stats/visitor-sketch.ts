/**
 * How many different visitors there were, in at most 1 KiB (docs/spec/stats.md, "Visitors"): exact
 * while they are few, an estimate after that. It sees hashes, and cannot give back one of them once
 * there are many. Pure.
 *
 * The estimate is that of HyperLogLog with a running total: each hash that changes the registers
 * adds what that was worth, the inverse of how probable it was. Its standard error is
 * 0.83 / sqrt(1984) = 1.9 %, less than that of reading the registers afterwards, and equally good
 * for small numbers. Such sketches cannot be merged, and here nobody needs to.
 */
import type { Bytes } from '../base/bytes.ts';

/** Of a hash, drawn evenly. */
export const visitorHashBytes = 8;

/** As many as fit beside the head into 1 KiB; exact as long as there are no more. */
const exactMax = 124;
/** Four bits each. */
const registers = 1984;
const rankMax = 15;
const headBytes = 16;
const form = { exact: 1, estimated: 2 } as const;
/** In the head of what is estimated. */
const offsets = { form: 0, count: 2, estimate: 8 } as const;

export const sketchBytesMax: number = headBytes + registers / 2;

export class VisitorSketch {
  /** Each hash as a number of 53 bits, while they are few. BOUNDED by exactMax. */
  #exact: Set<number> | undefined = new Set<number>();
  #registers = new Uint8Array(0);
  #estimate = 0;
  /** How probable it is that a new visitor changes a register. */
  #chance = 1;

  /** `hash` has visitorHashBytes. True when that changed anything. */
  add(hash: Bytes): boolean {
    const view = new DataView(hash.buffer, hash.byteOffset, visitorHashBytes);
    return this.#take(view.getUint32(0) * 2 ** 21 + (view.getUint32(4) >>> 11));
  }

  /** Different visitors. */
  get count(): number {
    return this.#exact?.size ?? Math.round(this.#estimate);
  }

  /** At most sketchBytesMax; `decodeSketch` reads it. */
  encode(): Bytes {
    const exact = this.#exact;
    if (exact) {
      const octets = new Uint8Array(headBytes + exact.size * visitorHashBytes);
      const view = new DataView(octets.buffer);
      view.setUint8(offsets.form, form.exact);
      view.setUint16(offsets.count, exact.size);
      let at = headBytes;
      for (const hash of exact) {
        view.setFloat64(at, hash);
        at += visitorHashBytes;
      }
      return octets;
    }
    const octets = new Uint8Array(sketchBytesMax);
    const view = new DataView(octets.buffer);
    view.setUint8(offsets.form, form.estimated);
    view.setFloat64(offsets.estimate, this.#estimate);
    for (let i = 0; i < registers; i += 2) {
      octets[headBytes + i / 2] = (this.#rankAt(i) << 4) | this.#rankAt(i + 1);
    }
    return octets;
  }

  /** What `encode` gave; undefined for anything else. */
  static decode(octets: Bytes): VisitorSketch | undefined {
    if (octets.length < headBytes) return undefined;
    const view = new DataView(octets.buffer, octets.byteOffset, octets.length);
    const sketch = new VisitorSketch();
    const kind = view.getUint8(offsets.form);
    if (kind === form.exact) return sketch.#readExact(view) ? sketch : undefined;
    return kind === form.estimated && sketch.#readRegisters(view) ? sketch : undefined;
  }

  #take(hash: number): boolean {
    const exact = this.#exact;
    if (!exact) return this.#raise(hash);
    if (exact.has(hash)) return false;
    exact.add(hash);
    if (exact.size > exactMax) this.#beginEstimate(exact);
    return true;
  }

  #beginEstimate(exact: ReadonlySet<number>): void {
    this.#exact = undefined;
    this.#registers = new Uint8Array(registers);
    for (const hash of exact) this.#raise(hash);
    this.#estimate = exact.size; // known exactly, whatever chance made of it
  }

  /** The upper bits choose the register; the lower 32 say how rare the visitor is. */
  #raise(hash: number): boolean {
    const at = Math.floor((Math.floor(hash / 2 ** 32) * registers) / 2 ** 21);
    const rank = Math.min(Math.clz32(hash % 2 ** 32) + 1, rankMax);
    const before = this.#rankAt(at);
    if (rank <= before) return false;
    this.#estimate += 1 / this.#chance;
    this.#chance -= (chanceAbove(before) - chanceAbove(rank)) / registers;
    this.#registers[at] = rank;
    return true;
  }

  #rankAt(at: number): number {
    return this.#registers[at] ?? 0;
  }

  #readExact(view: DataView): boolean {
    const exact = new Set<number>(); // BOUNDED by exactMax
    const size = view.getUint16(offsets.count);
    if (size > exactMax || view.byteLength !== headBytes + size * visitorHashBytes) return false;
    for (let i = 0; i < size; i++) {
      const hash = view.getFloat64(headBytes + i * visitorHashBytes);
      if (!Number.isSafeInteger(hash) || hash < 0) return false;
      exact.add(hash);
    }
    this.#exact = exact;
    return exact.size === size;
  }

  #readRegisters(view: DataView): boolean {
    const estimate = view.getFloat64(offsets.estimate);
    if (view.byteLength !== sketchBytesMax || !(estimate > 0) || estimate > 2 ** 53) return false;
    this.#exact = undefined;
    this.#estimate = estimate;
    this.#registers = new Uint8Array(registers);
    let sum = 0;
    for (let i = 0; i < registers; i++) {
      const pair = view.getUint8(headBytes + (i >> 1));
      const rank = i % 2 === 0 ? pair >> 4 : pair & 15;
      this.#registers[i] = rank;
      sum += chanceAbove(rank);
    }
    this.#chance = sum / registers;
    return this.#chance > 0;
  }
}

/** How probable it is that a rank is higher than this one, of which the highest stands for more. */
function chanceAbove(rank: number): number {
  return rank >= rankMax ? 0 : 2 ** -rank;
}
