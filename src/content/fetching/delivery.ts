/** A fetch whose blocks are read while they come: begun when one is missing, and not before. */
import { toHex } from '../../base/bytes.ts';
import { AltNetError } from '../../base/errors.ts';
import type { Fetcher } from './fetch.ts';
import type { FetchJob } from './fetch-job.ts';
import { Tide } from '../tide.ts';

export type DeliveryJob = Omit<FetchJob, 'onArrival' | 'signal'>;

export class Delivery {
  readonly #fetcher: Fetcher;
  readonly #job: DeliveryJob;
  readonly #signal: AbortSignal | undefined;
  readonly #stop = new AbortController();
  readonly #change = new Tide();
  #fetching: Promise<void> | undefined;
  #outcome: { readonly error: unknown; readonly isFailure: boolean } | undefined;

  constructor(fetcher: Fetcher, job: DeliveryJob, signal: AbortSignal | undefined) {
    this.#fetcher = fetcher;
    this.#job = job;
    this.#signal = signal;
  }

  /** Resolves when all of it is stored, or it is given up. */
  get settled(): Promise<void> {
    return this.#fetching ?? Promise.resolve();
  }

  /**
   * What `look` finds, once it finds something; until then it is called again whenever a block has
   * come. Rejects like `Fetcher.fetch`, and with CONTENT_UNAVAILABLE when nothing more comes.
   */
  async until<T>(look: () => T | undefined): Promise<T> {
    this.#signal?.throwIfAborted();
    const here = look();
    if (here !== undefined) return here;
    this.#fetching ??= this.#fetch();
    for (;;) {
      const change = this.#change.next();
      const outcome = this.#outcome;
      const found = look();
      if (found !== undefined) return found;
      if (outcome) throw outcome.error;
      await change;
    }
  }

  /** Resolves when all of it is here. Rejects like `Fetcher.fetch`. */
  async all(): Promise<void> {
    await (this.#fetching ??= this.#fetch());
    if (this.#outcome?.isFailure) throw this.#outcome.error;
  }

  stop(): void {
    this.#stop.abort(new AltNetError('ABORTED', {}));
  }

  /** Never rejects: the outcome is kept. */
  async #fetch(): Promise<void> {
    const signals = this.#signal ? [this.#signal, this.#stop.signal] : [this.#stop.signal];
    const root = toHex(this.#job.root.hash);
    try {
      await this.#fetcher.fetch({
        ...this.#job,
        signal: AbortSignal.any(signals),
        onArrival: () => this.#change.rise(),
      });
      const why = 'a block was lost meanwhile';
      const error = new AltNetError('CONTENT_UNAVAILABLE', { root, why });
      this.#outcome = { error, isFailure: false };
    } catch (error) {
      this.#outcome = { error, isFailure: true };
    }
    this.#change.rise();
  }
}
