/**
 * Tells an author in time that the certificate of a name ends: only its registrar can give a new
 * one, and people take days for that. It renews nothing.
 */
import { type Clock, unixSeconds, type World } from '../base/clock.ts';
import { AltNetError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { firstThen, repeat } from '../dht/loops.ts';
import type { OwnName } from './types.ts';

/** So long before its end, a certificate is spoken of. */
export const endingSeconds: number = 30 * 86_400;

export interface CertificateWatchDeps {
  readonly names: { list(): readonly OwnName[] };
  readonly world: World;
  readonly log: Logger;
}

const dayMs = 86_400_000;
/** After a start, when the lines of the start itself are through. */
const firstMs = 10_000;

export class CertificateWatch implements AsyncDisposable {
  readonly #deps: CertificateWatchDeps;
  readonly #stopping = new AbortController();
  #loop: Promise<void> | undefined;

  constructor(deps: CertificateWatchDeps) {
    this.#deps = deps;
  }

  /** Looks soon, and then once a day. */
  start(): void {
    const { world, log } = this.#deps;
    const delayMs = firstThen(firstMs, dayMs);
    this.#loop ??= repeat(
      { name: 'watch certificates', delayMs, run: () => this.#warn() },
      { timers: world.timers, log, signal: this.#stopping.signal },
    );
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort(new AltNetError('ABORTED', {}));
    await this.#loop;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #warn(): Promise<void> {
    const { names, world, log } = this.#deps;
    for (const { name, certifiedUntil: ends } of endingNames(names.list(), world.clock)) {
      log.warn('the certificate of a name ends soon; ask its registrar for a new one', {
        name,
        ends: new Date(ends * 1000).toISOString(),
      });
    }
    return Promise.resolve();
  }
}

/** Those whose certificate ends within 30 days; names below them go with them. */
export function endingNames(
  names: readonly OwnName[],
  clock: Clock,
): readonly { readonly name: string; readonly certifiedUntil: number }[] {
  const now = unixSeconds(clock);
  return names.flatMap(({ name, certifiedUntil }) => {
    const isApex = name.split('.').length === 2;
    const isEnding = certifiedUntil !== undefined && certifiedUntil - now < endingSeconds;
    return isApex && isEnding ? [{ name, certifiedUntil }] : [];
  });
}
