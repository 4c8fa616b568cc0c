/**
 * Whether a path, or what it begins with, may stand in a list: one pass over the letters, however
 * many rules there are and however long they are. What passes is looked up exactly.
 */
import type { Bytes } from '../base/bytes.ts';

export class PrefixFilter {
  readonly #seed: number;
  /** 30 bits, which a Set keeps without an object. BOUNDED by the lines of a list. */
  readonly #hashes = new Set<number>();

  /** A random number: who chooses paths cannot choose what passes. */
  constructor(seed: number) {
    this.#seed = seed | 1;
  }

  get isEmpty(): boolean {
    return this.#hashes.size === 0;
  }

  add(root: Bytes, path: string): void {
    let hash = this.#begin(root);
    for (let i = 0; i < path.length; i++) hash = this.#next(hash, path.charCodeAt(i));
    this.#hashes.add(hash & 0x3fff_ffff);
  }

  /** Lengths of those beginnings of `path`, from 1 to all of it, that may have been added. */
  *candidates(root: Bytes, path: string): Generator<number> {
    let hash = this.#begin(root);
    for (let i = 0; i < path.length; i++) {
      hash = this.#next(hash, path.charCodeAt(i));
      if (this.#hashes.has(hash & 0x3fff_ffff)) yield i + 1;
    }
  }

  #begin(root: Bytes): number {
    let hash = this.#seed;
    for (const octet of root) hash = this.#next(hash, octet);
    return hash;
  }

  #next(hash: number, value: number): number {
    const mixed = Math.imul(hash ^ value, this.#seed);
    return mixed ^ (mixed >>> 15);
  }
}
