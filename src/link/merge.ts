/** Several streams as one, each value as it comes. */

/**
 * The streams that `begin` makes; its signal ends them. It aborts when the reader stops, when one
 * of them fails (with which the whole then rejects), and with `signal`.
 */
export async function* merge<T>(
  begin: (signal: AbortSignal) => readonly AsyncGenerator<T>[],
  signal: AbortSignal | undefined,
): AsyncGenerator<T> {
  const controller = new AbortController();
  const ended = controller.signal;
  const streams = begin(signal ? AbortSignal.any([signal, ended]) : ended);
  const pending = new Map(streams.map((stream) => [stream, nextOf(stream)])); // BOUNDED by streams
  try {
    while (pending.size > 0) {
      const { stream, step } = await Promise.race(pending.values());
      pending.delete(stream);
      if (step.done === true) continue;
      yield step.value;
      pending.set(stream, nextOf(stream));
    }
  } finally {
    controller.abort();
    await Promise.allSettled(pending.values());
    await Promise.allSettled(streams.map((stream) => stream.return(undefined)));
  }
}

interface Next<T> {
  readonly stream: AsyncGenerator<T>;
  readonly step: IteratorResult<T>;
}

async function nextOf<T>(stream: AsyncGenerator<T>): Promise<Next<T>> {
  return { stream, step: await stream.next() };
}
