/**
 * How fast work goes and how long it will take, from what is done so far. Speeds jump from moment
 * to moment; what is said of them must not, so both numbers are smoothed. Time is an argument.
 */

/** Samples closer together than this say more about buffers than about the work. */
const sampleMsMin = 200;
/** What happened this long ago counts 1/e of what happens now. */
const rateMemoryMs = 8000;
/** How fast the time left follows when the rate says otherwise; sooner near the end. */
const leftMemoryMs = 3000;
/** Before that, the first speed would be taken for the whole. */
const silentMs = 1500;

interface Sample {
  readonly atMs: number;
  readonly bytes: number;
}

export class Estimate {
  #first: Sample | undefined;
  #last: Sample | undefined;
  /** Weighted sums: their quotient is right from the first sample on. */
  #rate = { sum: 0, weight: 0 };
  #left: { readonly atMs: number; readonly seconds: number } | undefined;

  /** `nowMs` grows from call to call; fewer bytes than before mean that the work began anew. */
  add({ nowMs, bytes, bytesTotal }: { nowMs: number; bytes: number; bytesTotal?: number }): void {
    const last = this.#last;
    if (!last || bytes < last.bytes) {
      this.#first = this.#last = { atMs: nowMs, bytes };
      this.#rate = { sum: 0, weight: 0 };
      this.#left = undefined;
      return;
    }
    const passedMs = nowMs - last.atMs;
    if (passedMs < sampleMsMin) return;
    const kept = Math.exp(-passedMs / rateMemoryMs);
    const now = (1000 * (bytes - last.bytes)) / passedMs;
    this.#rate.sum = this.#rate.sum * kept + now * (1 - kept);
    this.#rate.weight = this.#rate.weight * kept + (1 - kept);
    this.#last = { atMs: nowMs, bytes };
    this.#follow(nowMs, bytesTotal === undefined ? undefined : bytesTotal - bytes);
  }

  /** Undefined before anything can be said. */
  get bytesPerSecond(): number | undefined {
    const { sum, weight } = this.#rate;
    return this.#isEarly ? undefined : sum / weight;
  }

  /** Undefined while nothing can be said, or nothing moves. */
  get secondsLeft(): number | undefined {
    return this.#isEarly ? undefined : this.#left?.seconds;
  }

  get #isEarly(): boolean {
    return !this.#first || !this.#last || this.#last.atMs - this.#first.atMs < silentMs;
  }

  #follow(nowMs: number, bytesLeft: number | undefined): void {
    const rate = this.#rate.sum / this.#rate.weight;
    if (bytesLeft === undefined || rate <= 0) {
      this.#left = undefined;
      return;
    }
    const fresh = Math.max(0, bytesLeft) / rate;
    const before = this.#isEarly ? undefined : this.#left;
    if (!before) {
      this.#left = { atMs: nowMs, seconds: fresh };
      return;
    }
    const passedMs = nowMs - before.atMs;
    const due = Math.max(0, before.seconds - passedMs / 1000);
    const memoryMs = Math.min(leftMemoryMs, (1000 * fresh) / 4);
    const share = memoryMs > 0 ? 1 - Math.exp(-passedMs / memoryMs) : 1;
    this.#left = { atMs: nowMs, seconds: due + share * (fresh - due) };
  }
}
