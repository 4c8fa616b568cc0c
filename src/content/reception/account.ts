/**
 * How much of a stream was taken by the thread that it is for, told to the one that receives it. It
 * is a counter that both see: a message would wake the receiver a thousand times for a gigabyte, to
 * hear what it only needs when the peer may send no more. Then it says that it waits.
 */
const accountBytes = 8;
const [countAt, waitsAt] = [0, 1];
/** Who waits is told of so much at a time, or of all that there was. */
const worthwhileBytes = 512 * 1024;

export function openAccount(): SharedArrayBuffer {
  return new SharedArrayBuffer(accountBytes);
}

/** The end that takes. */
export class Taking {
  readonly #shared: Int32Array;
  #untoldBytes = 0;

  constructor(account: SharedArrayBuffer) {
    this.#shared = new Int32Array(account);
  }

  /** True when the other end waits, and must be told by a message. `isAll`: nothing is left. */
  took(bytes: number, isAll: boolean): boolean {
    Atomics.add(this.#shared, countAt, bytes);
    this.#untoldBytes += bytes;
    if (!isAll && this.#untoldBytes < worthwhileBytes) return false;
    if (Atomics.load(this.#shared, waitsAt) === 0) return false;
    this.#untoldBytes = 0;
    return Atomics.exchange(this.#shared, waitsAt, 0) === 1;
  }
}

/** The end that receives. */
export class Untaken {
  readonly #shared: Int32Array;
  #seen = 0;
  #bytes = 0;

  constructor(account: SharedArrayBuffer) {
    this.#shared = new Int32Array(account);
  }

  /** So much more is there to be taken. */
  add(bytes: number): void {
    this.#bytes += bytes;
  }

  /** What is there at this moment. */
  bytes(): number {
    const count = Atomics.load(this.#shared, countAt);
    this.#bytes -= (count - this.#seen) >>> 0; // the counter wraps
    this.#seen = count;
    return this.#bytes;
  }

  /** Has the other end tell when it takes something. What it took before that, `bytes` says. */
  wait(): void {
    Atomics.store(this.#shared, waitsAt, 1);
  }
}
