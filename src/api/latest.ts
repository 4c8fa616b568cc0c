/** A value that may change faster than it is read: the reader gets the newest, never a queue. */
export class LatestValue<T> implements AsyncIterable<T> {
  #news: { readonly value: T } | undefined;
  #ended = false;
  #wake: PromiseWithResolvers<void> = Promise.withResolvers<void>();

  set(value: T): void {
    this.#news = { value };
    this.#wake.resolve();
  }

  /** The reader still gets a value that it has not read, then its loop ends. */
  end(): void {
    this.#ended = true;
    this.#wake.resolve();
  }

  /** For one reader. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void> {
    for (;;) {
      const news = this.#news;
      this.#news = undefined;
      if (news !== undefined) yield news.value;
      else if (this.#ended) return;
      else await this.#wakened();
    }
  }

  async #wakened(): Promise<void> {
    await this.#wake.promise;
    this.#wake = Promise.withResolvers<void>();
  }
}
