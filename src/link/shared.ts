/**
 * One search for all who ask for the same thing at the same time. Each reader gets everything from
 * the beginning; the search ends when its last reader has gone. It does not know what is searched.
 */
import { abortReason, untilAborted } from '../base/abort.ts';
import { AltNetError } from '../base/errors.ts';

/** Begins a search, which `signal` ends. */
export type Begin<T, R> = (signal: AbortSignal) => AsyncGenerator<T, R>;

type End<R> = { readonly value: R } | { readonly error: unknown };

export class SharedSearches<T, R> {
  readonly #running = new Map<string, Running<T, R>>(); // BOUNDED by the readers

  /** What the search that runs for `key` has found and goes on to find; else `begin` is called. */
  async *follow(
    key: string,
    begin: Begin<T, R>,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<T, R> {
    signal?.throwIfAborted();
    const running = this.#running.get(key) ?? this.#begin(key, begin);
    return yield* running.read(signal);
  }

  /** Who asks from now on gets a search that begins now: something has changed. */
  renew(key: string): void {
    this.#running.delete(key);
  }

  #begin(key: string, begin: Begin<T, R>): Running<T, R> {
    const running = new Running(begin, () => this.#forget(key, running));
    this.#running.set(key, running);
    return running;
  }

  #forget(key: string, running: Running<T, R>): void {
    if (this.#running.get(key) === running) this.#running.delete(key);
  }
}

class Running<T, R> {
  readonly #onEnd: () => void;
  readonly #controller = new AbortController();
  readonly #found: T[] = []; // BOUNDED by what one search finds
  #end: End<R> | undefined;
  #readers = 0;
  #news = Promise.withResolvers<void>();

  constructor(begin: Begin<T, R>, onEnd: () => void) {
    this.#onEnd = onEnd;
    void this.#run(begin(this.#controller.signal));
  }

  async *read(signal: AbortSignal | undefined): AsyncGenerator<T, R> {
    this.#readers += 1;
    try {
      for (let next = 0; ;) {
        if (signal?.aborted) throw abortReason(signal);
        const end = this.#end;
        const news = this.#news.promise;
        for (; next < this.#found.length; next++) yield this.#found[next] as T;
        if (end && 'error' in end) throw end.error;
        if (end) return end.value;
        await untilAborted(news, signal);
      }
    } finally {
      this.#readers -= 1;
      if (this.#readers === 0) this.#abandon();
    }
  }

  /** Never rejects: what went wrong is for the readers. */
  async #run(search: AsyncGenerator<T, R>): Promise<void> {
    try {
      let step = await search.next();
      for (; step.done !== true; step = await search.next()) {
        this.#found.push(step.value);
        this.#tell();
      }
      this.#end = { value: step.value };
    } catch (error) {
      this.#end = { error };
    }
    this.#onEnd();
    this.#tell();
  }

  /** Before anybody else can join it. */
  #abandon(): void {
    this.#onEnd();
    this.#controller.abort(new AltNetError('ABORTED', {}));
  }

  #tell(): void {
    const { resolve } = this.#news;
    this.#news = Promise.withResolvers<void>();
    resolve();
  }
}
