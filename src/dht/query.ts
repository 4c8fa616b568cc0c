/**
 * Drives a lookup: asks whom it names, tells it what came of it, and hands on what the answers
 * hold as they arrive. It does not know what is asked, nor how requests travel.
 */
import { abortReason } from '../base/abort.ts';
import type { CancelTimer, Timers } from '../base/clock.ts';
import type { Contact } from '../identity/contact.ts';
import type { Lookup, LookupEvent, LookupResult } from './lookup.ts';

export interface Answer {
  /** Those that may be asked next. */
  readonly contacts: readonly Contact[];
  readonly server: boolean;
}

/** What a query asks each contact. Rejects when there was no answer. */
export type Ask<T> = (
  contact: Contact,
  options: {
    /** Aborted when the query ends. */
    readonly signal: AbortSignal;
    /** Hands something of the answer to who reads the query, at once. */
    readonly emit: (value: T) => void;
  },
) => Promise<Answer>;

export interface QueryOptions<T> {
  readonly lookup: Lookup;
  readonly ask: Ask<T>;
  readonly timers: Timers;
  /** A request under way for longer lets another one start. */
  readonly slowMs: number;
  readonly signal: AbortSignal | undefined;
}

type Happening<T> =
  | { readonly type: 'event'; readonly event: LookupEvent }
  | { readonly type: 'value'; readonly value: T };

/**
 * Yields what `ask` emits. Whoever stops reading ends all requests under way; so does the signal,
 * with whose reason the query then rejects.
 */
export async function* runQuery<T>(options: QueryOptions<T>): AsyncGenerator<T, LookupResult> {
  const { lookup, signal } = options;
  signal?.throwIfAborted();
  const requests = new Requests(options);
  try {
    let state = lookup.advance({ type: 'start' });
    while (state.type === 'running') {
      for (const contact of state.ask) requests.begin(contact);
      const happening = await requests.next();
      if (happening.type === 'value') {
        yield happening.value;
        state = { type: 'running', ask: [] };
      } else {
        state = lookup.advance(happening.event);
      }
    }
    return state;
  } finally {
    requests.end();
  }
}

/** The requests of one query, and what came of them in order of arrival. */
class Requests<T> {
  readonly #options: QueryOptions<T>;
  readonly #controller = new AbortController();
  readonly #happenings: Happening<T>[] = []; // BOUNDED by the answers to askedMax requests
  readonly #cancels = new Set<CancelTimer>(); // BOUNDED by the requests under way
  #wake: { resolve: () => void; reject: (reason: Error) => void } | undefined;
  readonly #onAbort = (): void => {
    this.#controller.abort();
    this.#wake?.reject(abortReason(this.#options.signal));
  };

  constructor(options: QueryOptions<T>) {
    this.#options = options;
    options.signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  begin(contact: Contact): void {
    const { ask, timers, slowMs } = this.#options;
    const { signal } = this.#controller;
    const cancel = timers.after(slowMs, () => this.#tell({ type: 'slow', id: contact.id }));
    const emit = (value: T): void => this.#add({ type: 'value', value });
    this.#cancels.add(cancel);
    ask(contact, { signal, emit }).then(
      (answer) => this.#settle(cancel, { type: 'answered', id: contact.id, ...answer }),
      () => this.#settle(cancel, { type: 'failed', id: contact.id }),
    );
  }

  #settle(cancel: CancelTimer, event: LookupEvent): void {
    cancel();
    this.#cancels.delete(cancel);
    this.#tell(event);
  }

  #tell(event: LookupEvent): void {
    this.#add({ type: 'event', event });
  }

  #add(happening: Happening<T>): void {
    if (this.#controller.signal.aborted) return;
    this.#happenings.push(happening);
    this.#wake?.resolve();
  }

  async next(): Promise<Happening<T>> {
    for (;;) {
      if (this.#controller.signal.aborted) throw abortReason(this.#options.signal);
      const happening = this.#happenings.shift();
      if (happening) return happening;
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      this.#wake = { resolve, reject };
      await promise;
      this.#wake = undefined;
    }
  }

  end(): void {
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    this.#controller.abort();
    for (const cancel of this.#cancels) cancel();
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
