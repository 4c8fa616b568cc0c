/**
 * Drives a lookup: asks whom it names, tells it what came of it, and hands on what the answers
 * hold as they arrive. It does not know what is asked, nor how requests travel.
 */
import { abortReason } from '../../base/abort.ts';
import type { CancelTimer, Timers } from '../../base/clock.ts';
import type { Contact } from '../../identity/contact.ts';
import type { Lookup, LookupEvent, LookupResult } from './lookup.ts';
import type { Probe } from './regions.ts';

export interface Answer {
  /** Those that may be asked next. */
  readonly contacts: readonly Contact[];
  readonly server: boolean;
}

/** What a query asks each contact. Rejects when there was no answer. */
export type Ask<T> = (
  contact: Contact,
  options: {
    /** Aborted when the query is given up. */
    readonly signal: AbortSignal;
    /** Hands something of the answer to who reads the query, at once. */
    readonly emit: (value: T) => void;
  },
) => Promise<Answer>;

export interface QueryOptions<T> {
  readonly lookup: Lookup;
  readonly ask: Ask<T>;
  /** Asks for the nodes around a point. Rejects when there was no answer. */
  readonly probe: (probe: Probe, signal: AbortSignal) => Promise<readonly Contact[]>;
  readonly timers: Timers;
  /** A request to this contact under way for longer lets another one start. */
  readonly slowMs: (contact: Contact) => number;
  /** Called whenever the lookup knows more. */
  readonly onProgress?: ((lookup: Lookup) => void) | undefined;
  readonly signal: AbortSignal | undefined;
}

type Happening<T> =
  | { readonly type: 'event'; readonly event: LookupEvent }
  | { readonly type: 'value'; readonly value: T };

/** Who is slow is overdue after so many times as long, within bounds. */
const overdueTimes = 3;
const overdueMinMs = 300;
const overdueMaxMs = 1000;

/**
 * Yields what `ask` emits. Whoever stops reading ends all requests under way; so does the signal,
 * with whose reason the query then rejects. When the lookup finishes, requests to slow nodes run on
 * by themselves, so that it is learned who is dead.
 */
export async function* runQuery<T>(options: QueryOptions<T>): AsyncGenerator<T, LookupResult> {
  const { lookup, signal, onProgress } = options;
  signal?.throwIfAborted();
  const requests = new Requests(options);
  let finished = false;
  try {
    let state = lookup.advance({ type: 'start' });
    while (state.type === 'running') {
      for (const contact of state.ask) requests.ask(contact);
      for (const probe of state.probe) requests.probe(probe);
      onProgress?.(lookup);
      const happening = await requests.next();
      if (happening.type === 'value') {
        yield happening.value;
        state = { type: 'running', ask: [], probe: [] };
      } else {
        state = lookup.advance(happening.event);
      }
    }
    finished = true;
    onProgress?.(lookup);
    return state;
  } finally {
    if (finished) requests.release();
    else requests.end();
  }
}

/** The requests of one query, and what came of them in order of arrival. */
class Requests<T> {
  readonly #options: QueryOptions<T>;
  readonly #controller = new AbortController();
  readonly #happenings: Happening<T>[] = []; // BOUNDED by the answers to askedMax requests
  readonly #cancels = new Set<CancelTimer>(); // BOUNDED by the requests under way
  #underWay = 0;
  #closed = false;
  #wake: { resolve: () => void; reject: (reason: Error) => void } | undefined;
  readonly #onAbort = (): void => {
    this.#closed = true;
    this.#controller.abort();
    this.#wake?.reject(abortReason(this.#options.signal));
  };

  constructor(options: QueryOptions<T>) {
    this.#options = options;
    options.signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  ask(contact: Contact): void {
    const { ask, slowMs } = this.#options;
    const { signal } = this.#controller;
    const afterMs = slowMs(contact);
    const overdueMs = Math.min(overdueMaxMs, Math.max(overdueMinMs, overdueTimes * afterMs));
    const cancels = [
      this.#after(afterMs, { type: 'slow', contact }),
      this.#after(overdueMs, { type: 'overdue', contact }),
    ];
    const emit = (value: T): void => this.#add({ type: 'value', value });
    this.#underWay++;
    ask(contact, { signal, emit }).then(
      (answer) => this.#settle(cancels, { type: 'answered', contact, ...answer }),
      () => this.#settle(cancels, { type: 'failed', contact }),
    );
  }

  /** A probe is settled at the latest when it is slow: others see the same part of the space. */
  probe(probe: Probe): void {
    const { probe: send, slowMs } = this.#options;
    const given = { type: 'probed', probe, contacts: [] } as const;
    const cancels = [this.#after(slowMs(probe.contact), given, () => (late = true))];
    let late = false;
    this.#underWay++;
    const settle = (contacts: readonly Contact[]): void => {
      this.#settle(cancels, late ? undefined : { type: 'probed', probe, contacts });
    };
    send(probe, this.#controller.signal).then(settle, () => settle([]));
  }

  #after(ms: number, event: LookupEvent, mark?: () => void): CancelTimer {
    const cancel = this.#options.timers.after(ms, () => {
      mark?.();
      this.#cancels.delete(cancel);
      this.#add({ type: 'event', event });
    });
    this.#cancels.add(cancel);
    return cancel;
  }

  #settle(cancels: readonly CancelTimer[], event: LookupEvent | undefined): void {
    for (const cancel of cancels) {
      cancel();
      this.#cancels.delete(cancel);
    }
    this.#underWay--;
    if (event) this.#add({ type: 'event', event });
    if (this.#closed && this.#underWay === 0) this.#forgetSignal();
  }

  #add(happening: Happening<T>): void {
    if (this.#closed) return;
    this.#happenings.push(happening);
    this.#wake?.resolve();
  }

  async next(): Promise<Happening<T>> {
    for (;;) {
      if (this.#closed) throw abortReason(this.#options.signal);
      const happening = this.#happenings.shift();
      if (happening) return happening;
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      this.#wake = { resolve, reject };
      await promise;
      this.#wake = undefined;
    }
  }

  /** Gives up all requests. */
  end(): void {
    this.#forgetSignal();
    this.release();
    this.#controller.abort();
  }

  /** Waits for nobody any more; what is under way ends by itself, or with the signal. */
  release(): void {
    this.#closed = true;
    for (const cancel of this.#cancels) cancel();
    this.#cancels.clear();
    if (this.#underWay === 0) this.#forgetSignal();
  }

  #forgetSignal(): void {
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
  }
}

/** Runs a query of whose answers only the end counts. */
export async function finishQuery(
  query: AsyncGenerator<never, LookupResult>,
): Promise<LookupResult> {
  for (;;) {
    const step = await query.next();
    if (step.done === true) return step.value;
  }
}
