/**
 * Records of one revoker are taken at some distance from each other, so that nobody who is trusted
 * can keep a whole network busy. The newest that comes too soon waits, and none is lost by that.
 */
import { type Bytes, toHex } from '../base/bytes.ts';
import type { CancelTimer, World } from '../base/clock.ts';
import type { SignedRecord } from '../record/envelope.ts';

/** Revokers leave a minute between two records; clocks and routes differ by a few seconds. */
const spacingMs = 50_000;

interface Waiting {
  readonly record: SignedRecord;
  readonly cancel: CancelTimer;
}

export class Pacing {
  readonly #world: World;
  /** When a record of a revoker was taken last, monotonic. BOUNDED by the revokers. */
  readonly #takenMs = new Map<string, number>();
  /** The newest that came too soon. BOUNDED by the revokers. */
  readonly #waiting = new Map<string, Waiting>();

  constructor(world: World) {
    this.#world = world;
  }

  /** One is being taken. */
  note(revoker: Bytes): void {
    this.#takenMs.set(toHex(revoker), this.#world.clock.monotonicMs());
  }

  /** 0 or less: the next may be taken now. */
  untilDueMs(revoker: Bytes): number {
    const takenMs = this.#takenMs.get(toHex(revoker)) ?? Number.NEGATIVE_INFINITY;
    return takenMs + spacingMs - this.#world.clock.monotonicMs();
  }

  /** What waits of this revoker. */
  waiting(revoker: Bytes): SignedRecord | undefined {
    return this.#waiting.get(toHex(revoker))?.record;
  }

  /** Calls `take` when it is due, unless a newer one is put off meanwhile. */
  putOff(record: SignedRecord, take: () => void): void {
    const hex = toHex(record.author);
    this.#waiting.get(hex)?.cancel();
    const cancel = this.#world.timers.after(this.untilDueMs(record.author), () => {
      this.#waiting.delete(hex);
      take();
    });
    this.#waiting.set(hex, { record, cancel });
  }

  /** What waits is dropped: it is asked for at the next start. */
  stop(): void {
    for (const { cancel } of this.#waiting.values()) cancel();
    this.#waiting.clear();
  }
}
