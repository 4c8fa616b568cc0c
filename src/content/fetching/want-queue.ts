/**
 * Wants that no peer has been asked yet. For a reader they stay in order; for whoever wants all of
 * something nodes go before leaves, as they tell what else there is.
 */
import type { Bytes } from '../../base/bytes.ts';
import { hashKey } from '../dag/root.ts';
import type { Want } from '../dag/walk.ts';

/** How many wants that a peer cannot answer are passed over before it gets nothing. */
const passedOverMax = 256;
/** 2^40: of as many as are ever queued the sum is below 2^53. */
const saidMax = 2 ** 40;

export class WantQueue {
  readonly #isOrdered: boolean;
  // BOUNDED by the caller, who adds only while it is not full
  readonly #first: Want[] = [];
  readonly #then: Want[] = [];
  #bytesSaid = 0;

  constructor({ isOrdered }: { isOrdered: boolean }) {
    this.#isOrdered = isOrdered;
  }

  get length(): number {
    return this.#first.length + this.#then.length;
  }

  /** What is said of the sizes of all that is queued. A sum: it is asked for with each block. */
  get bytesSaid(): number {
    return this.#bytesSaid;
  }

  add(want: Want): void {
    const isLeaf = want.link.codec === 'raw';
    (this.#isOrdered || !isLeaf ? this.#first : this.#then).push(want);
    this.#bytesSaid += saidOf(want);
  }

  clear(): void {
    this.#first.length = 0;
    this.#then.length = 0;
    this.#bytesSaid = 0;
  }

  /** The first one that `isFor` allows; it stays. */
  peek(isFor: (hash: Bytes) => boolean): Want | undefined {
    for (const wants of [this.#first, this.#then]) {
      const want = wants[indexFor(wants, isFor)];
      if (want) return want;
    }
    return undefined;
  }

  /** The first one that `isFor` allows; it is removed. */
  take(isFor: (hash: Bytes) => boolean): Want | undefined {
    for (const wants of [this.#first, this.#then]) {
      const index = indexFor(wants, isFor);
      if (index < 0) continue;
      const want = index === 0 ? wants.shift() : wants.splice(index, 1)[0];
      if (want) this.#bytesSaid -= saidOf(want);
      return want;
    }
    return undefined;
  }
}

/** Bounded, so that the sum stays exact whatever a hostile block says: no disk holds more. */
function saidOf({ bytesSaid = 0 }: Want): number {
  return Math.min(bytesSaid, saidMax);
}

/** Negative where there is none. */
function indexFor(wants: readonly Want[], isFor: (hash: Bytes) => boolean): number {
  const count = Math.min(wants.length, passedOverMax);
  for (let i = 0; i < count; i++) {
    const want = wants[i];
    if (want && isFor(want.link.hash)) return i;
  }
  return -1;
}

/** Blocks that a peer said it lacks. BOUNDED by its size: who lacks more is of no use. */
export class Lacked {
  readonly #keys = new Set<string>();

  get isEmpty(): boolean {
    return this.#keys.size === 0;
  }

  get isFull(): boolean {
    return this.#keys.size >= 4096;
  }

  add(hash: Bytes): void {
    if (!this.isFull) this.#keys.add(hashKey(hash));
  }

  has(hash: Bytes): boolean {
    return this.#keys.size > 0 && this.#keys.has(hashKey(hash));
  }
}
