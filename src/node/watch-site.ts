/**
 * Publishes a folder, and again whenever something in it changes, until told to stop. What fails is
 * reported and tried again; where the node is and how changes are noticed is given.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { LatestValue } from '../api/latest.ts';
import type { PublishInput, PublishResult } from '../api/ports-sites.ts';
import type { NodeServices } from '../api/ports.ts';
import type { Progress } from '../content/types.ts';

export interface SiteWatch {
  readonly services: Pick<NodeServices, 'publish'>;
  /** `replaces` is filled in from version to version. */
  readonly input: PublishInput;
  /**
   * An item at once, and whenever something in the folder at `path` may have changed since. Rejects
   * when it cannot be watched (any more); it is called again then, a while later.
   */
  readonly changes: (
    path: string,
    options: { readonly signal: AbortSignal; readonly onAbsent: (error: unknown) => void },
  ) => AsyncIterable<unknown>;
  /** The first version, and each one with other content than the one before. */
  readonly onVersion: (version: PublishResult) => void;
  /** The same failure again and again is reported once. */
  readonly onFailure: (error: unknown) => void;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** After each attempt, before what came of it is told. */
  readonly onAttempted?: (() => void) | undefined;
  /** How long after a failure to try again. */
  readonly retryMs?: number | undefined;
}

const retryMsDefault = 5000;

/** What can fail. */
type Part = 'watching' | 'publishing';

/**
 * Resolves when the signal aborts. Rejects when the first version cannot be published: what was
 * meant to be watched is not there, or nobody takes it.
 */
export async function watchSite(
  watch: SiteWatch,
  { signal }: { signal: AbortSignal },
): Promise<void> {
  signal.throwIfAborted();
  const ending = new AbortController();
  const end = (): void => ending.abort(signal.reason);
  signal.addEventListener('abort', end, { once: true });
  const watching = new Watching(watch, ending.signal);
  const listening = watching.listen();
  try {
    await watching.follow();
  } finally {
    signal.removeEventListener('abort', end);
    end();
    await listening;
  }
}

class Watching {
  readonly #watch: SiteWatch;
  readonly #signal: AbortSignal;
  readonly #retryMs: number;
  /** Changes while a version is being published are one change. */
  readonly #news = new LatestValue<true>();
  /** Of the last version. */
  #root: string | undefined;
  readonly #failed: Partial<Record<Part, string>> = {};

  constructor(watch: SiteWatch, signal: AbortSignal) {
    this.#watch = watch;
    this.#signal = signal;
    this.#retryMs = watch.retryMs ?? retryMsDefault;
  }

  /** Resolves when the signal aborts. */
  async listen(): Promise<void> {
    const { changes, input } = this.#watch;
    const signal = this.#signal;
    const onAbsent = (error: unknown): void => this.#report('watching', error);
    while (!signal.aborted) {
      try {
        await forEach(changes(input.path, { signal, onAbsent }), () => {
          delete this.#failed.watching;
          this.#news.set(true);
        });
      } catch (error) {
        this.#report('watching', error);
      }
      await this.#pause();
      this.#news.set(true); // what happened meanwhile nobody saw
    }
  }

  /** Resolves when the signal aborts; rejects when there is no first version. */
  async follow(): Promise<void> {
    const stop = (): void => this.#news.end();
    this.#signal.addEventListener('abort', stop, { once: true });
    await forEach(this.#news, async () => {
      if (this.#signal.aborted) return;
      try {
        await this.#publish();
      } catch (error) {
        if (this.#root === undefined) throw error;
        this.#report('publishing', error);
        void this.#pause().then(() => this.#news.set(true));
      }
    });
    if (this.#root === undefined) this.#signal.throwIfAborted();
  }

  async #publish(): Promise<void> {
    const { services, input, onProgress, onAttempted, onVersion } = this.#watch;
    const [signal, replaces] = [this.#signal, this.#root];
    const version = await services
      .publish({ ...input, replaces }, { signal, onProgress })
      .finally(() => onAttempted?.());
    delete this.#failed.publishing;
    this.#root = version.root;
    if (version.root !== replaces) onVersion(version);
  }

  #report(part: Part, error: unknown): void {
    const text = String(error);
    const isKnown = Object.values(this.#failed).includes(text);
    if (!this.#signal.aborted && !isKnown) this.#watch.onFailure(error);
    this.#failed[part] = text;
  }

  /** Resolves also when the signal aborts. */
  async #pause(): Promise<void> {
    await delay(this.#retryMs, undefined, { signal: this.#signal }).catch(() => undefined);
  }
}

/** For what only says that something happened. */
async function forEach(
  happenings: AsyncIterable<unknown>,
  run: () => void | Promise<void>,
): Promise<void> {
  const steps = happenings[Symbol.asyncIterator]();
  while ((await steps.next()).done !== true) await run();
}
