/**
 * Small files in memory, by root and path. What a root holds can never change, so an entry stays
 * right until it is pushed out or all are forgotten.
 */
import type { Bytes } from '../base/bytes.ts';

export interface Body {
  readonly bytes: Bytes;
  /** Quoted, strong. */
  readonly etag: string;
  /** Media type. */
  readonly type: string;
}

export interface BodiesLimits {
  readonly bodyBytesMax: number;
  readonly bytesMax: number;
}

/** What an entry costs besides its bytes, so that empty files are not free. */
const entryBytes = 512;

export class Bodies {
  readonly #entries = new Map<string, Body>(); // BOUNDED by bytesMax, see add()
  readonly #limits: BodiesLimits;
  #bytes = 0;

  constructor(limits: BodiesLimits) {
    this.#limits = limits;
  }

  fits(size: number): boolean {
    return size <= this.#limits.bodyBytesMax;
  }

  get(key: string): Body | undefined {
    const body = this.#entries.get(key);
    if (body === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, body);
    return body;
  }

  /** Takes the place of those unused for longest. */
  add(key: string, body: Body): void {
    if (!this.fits(body.bytes.length)) return;
    this.#remove(key);
    this.#entries.set(key, body);
    this.#bytes += costOf(body);
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#limits.bytesMax) return;
      this.#remove(oldest);
    }
  }

  #remove(key: string): void {
    const body = this.#entries.get(key);
    if (body === undefined) return;
    this.#entries.delete(key);
    this.#bytes -= costOf(body);
  }
}

function costOf({ bytes }: Body): number {
  return bytes.length + entryBytes;
}
