/**
 * Small answers in memory, by root, path and encoding. What a root holds can never change, so an
 * entry stays right until it is pushed out or all are forgotten.
 */
import type { Bytes } from '../base/bytes.ts';
import { BudgetedMap } from './budgeted.ts';
import type { Representation } from './send.ts';

export interface Body {
  /** As they go out: encoded, where there is an encoding. */
  readonly bytes: Bytes;
  readonly shown: Representation;
}

export interface BodiesLimits {
  readonly bodyBytesMax: number;
  readonly bytesMax: number;
}

/** Encoding costs more than reading: what was encoded may take this part of all. */
const encodedShareMax = 1 / 16;

export class Bodies {
  readonly #bodies: BudgetedMap<Body>; // BOUNDED by bytesMax
  readonly #limits: BodiesLimits;

  constructor(limits: BodiesLimits) {
    this.#limits = limits;
    this.#bodies = new BudgetedMap(limits.bytesMax);
  }

  fits(size: number): boolean {
    return size <= this.#limits.bodyBytesMax;
  }

  get(key: string): Body | undefined {
    return this.#bodies.get(key);
  }

  /** Takes the place of those unused for longest. */
  add(key: string, body: Body): void {
    const { length } = body.bytes;
    const { bodyBytesMax, bytesMax } = this.#limits;
    const max = body.shown.encoding
      ? Math.max(bodyBytesMax, bytesMax * encodedShareMax)
      : bodyBytesMax;
    const held = length + (body.shown.place?.length ?? 0);
    if (length <= max) this.#bodies.set(key, body, held);
  }
}
