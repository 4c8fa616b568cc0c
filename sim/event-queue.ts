/**
 * Events by due time, those of one moment in order of arrival: a heap of four children per node.
 * The times that are compared lie beside each other in memory, as a long run is mostly this.
 */
import type { CancelTimer } from '../src/base/clock.ts';

export interface SimEvent {
  readonly dueMs: number;
  readonly order: number;
  /** Undefined once it was cancelled. Resolves nothing that others wait for when it is 'quiet'. */
  run: EventAction | undefined;
}

/** 'quiet': nothing that happened waits for a promise reaction, the next event may come at once. */
export type EventAction = () => 'quiet' | void;

const children = 4;

export class EventQueue {
  /** No event is due before its parent. `#dueMs` and `#events` are one list of pairs. */
  #dueMs = new Float64Array(1024);
  readonly #events: SimEvent[] = [];
  #order = 0;

  /** Those that were cancelled and are not due yet count as well. */
  get size(): number {
    return this.#events.length;
  }

  add(dueMs: number, run: EventAction): CancelTimer {
    const event = this.#push(dueMs, run);
    return () => {
      event.run = undefined;
    };
  }

  /** Like `add` for what nobody cancels. */
  push(dueMs: number, run: EventAction): void {
    this.#push(dueMs, run);
  }

  /** The next event that is due at `untilMs` or before and was not cancelled. */
  takeUntil(untilMs: number): SimEvent | undefined {
    for (let first = this.#events[0]; first && first.dueMs <= untilMs; first = this.#events[0]) {
      this.#takeFirst();
      if (first.run) return first;
    }
    return undefined;
  }

  #push(dueMs: number, run: EventAction): SimEvent {
    const event: SimEvent = { dueMs, order: this.#order++, run };
    const at = this.#events.length;
    if (at === this.#dueMs.length) this.#grow();
    this.#events.push(event);
    this.#rise(at, event);
    return event;
  }

  #grow(): void {
    const larger = new Float64Array(2 * this.#dueMs.length);
    larger.set(this.#dueMs);
    this.#dueMs = larger;
  }

  #takeFirst(): void {
    const last = this.#events.pop();
    if (last && this.#events.length > 0) this.#sink(last);
  }

  /** Moves the place `at` up until `event` may stand there. */
  #rise(from: number, event: SimEvent): void {
    const { dueMs } = event;
    let at = from;
    while (at > 0) {
      const parent = ((at - 1) / children) | 0;
      // An event that comes in is the youngest: of equal times it stays behind.
      if ((this.#dueMs[parent] ?? 0) <= dueMs) break;
      this.#move(parent, at);
      at = parent;
    }
    this.#place(at, event);
  }

  /** Moves the place at the top down until `event` may stand there. */
  #sink(event: SimEvent): void {
    let at = 0;
    for (let child = this.#firstChild(at); child > 0; child = this.#firstChild(at)) {
      if (!this.#comesBefore(child, event)) break;
      this.#move(child, at);
      at = child;
    }
    this.#place(at, event);
  }

  /** The child that is due first; 0 without children. */
  #firstChild(parent: number): number {
    const begin = children * parent + 1;
    const end = Math.min(begin + children, this.#events.length);
    if (begin >= end) return 0;
    let first = begin;
    for (let child = begin + 1; child < end; child++) {
      const difference = (this.#dueMs[child] ?? 0) - (this.#dueMs[first] ?? 0);
      if (difference < 0 || (difference === 0 && this.#orderOf(child) < this.#orderOf(first))) {
        first = child;
      }
    }
    return first;
  }

  #comesBefore(at: number, event: SimEvent): boolean {
    const dueMs = this.#dueMs[at] ?? 0;
    return dueMs < event.dueMs || (dueMs === event.dueMs && this.#orderOf(at) < event.order);
  }

  #orderOf(at: number): number {
    return this.#events[at]?.order ?? 0;
  }

  #move(from: number, to: number): void {
    const event = this.#events[from];
    if (event) this.#place(to, event);
  }

  #place(at: number, event: SimEvent): void {
    this.#events[at] = event;
    this.#dueMs[at] = event.dueMs;
  }
}
