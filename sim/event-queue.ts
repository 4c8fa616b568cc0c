/** Events by due time, those of one moment in order of arrival: a binary heap. */
import type { CancelTimer } from '../src/base/clock.ts';

export interface SimEvent {
  readonly dueMs: number;
  readonly order: number;
  readonly run: () => void;
  cancelled: boolean;
}

export class EventQueue {
  /** No event is due before its parent, which stands at half its index. */
  readonly #heap: SimEvent[] = [];
  #order = 0;

  add(dueMs: number, run: () => void): CancelTimer {
    const event: SimEvent = { dueMs, order: this.#order++, run, cancelled: false };
    this.#heap.push(event);
    this.#rise(this.#heap.length - 1);
    return () => {
      event.cancelled = true;
    };
  }

  /** The next event that is due at `untilMs` or before. */
  takeUntil(untilMs: number): SimEvent | undefined {
    for (let first = this.#heap[0]; first && first.dueMs <= untilMs; first = this.#heap[0]) {
      this.#takeFirst();
      if (!first.cancelled) return first;
    }
    return undefined;
  }

  #takeFirst(): void {
    const last = this.#heap.pop();
    if (!last || this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#sink(0);
  }

  #rise(from: number): void {
    for (let at = from; at > 0;) {
      const parent = (at - 1) >> 1;
      if (!this.#swapIfEarlier(at, parent)) return;
      at = parent;
    }
  }

  #sink(from: number): void {
    for (let at = from; ;) {
      const left = 2 * at + 1;
      const child = this.#isEarlier(left + 1, left) ? left + 1 : left;
      if (!this.#swapIfEarlier(child, at)) return;
      at = child;
    }
  }

  #swapIfEarlier(child: number, parent: number): boolean {
    const below = this.#heap[child];
    const above = this.#heap[parent];
    if (!below || !above || !this.#isEarlier(child, parent)) return false;
    this.#heap[child] = above;
    this.#heap[parent] = below;
    return true;
  }

  #isEarlier(a: number, b: number): boolean {
    const first = this.#heap[a];
    const second = this.#heap[b];
    if (!first || !second) return false;
    return first.dueMs === second.dueMs ? first.order < second.order : first.dueMs < second.dueMs;
  }
}
