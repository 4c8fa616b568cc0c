/**
 * A body that is used as it arrives, however long it is: as slow as its reader wants, but not
 * slower than the deadlines allow. Knows nothing of what is in it.
 */
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { AltNetError } from '../base/errors.ts';

export interface UploadLimits {
  /** Without a byte of it, though its reader waits. */
  readonly idleMs: number;
  /** From its first byte to its last. */
  readonly totalMs: number;
}

export class Upload {
  readonly #request: IncomingMessage;
  readonly #limits: UploadLimits;
  #hasExpired = false;

  constructor(request: IncomingMessage, limits: UploadLimits) {
    this.#request = request;
    this.#limits = limits;
  }

  /** A deadline has ended it. */
  get hasExpired(): boolean {
    return this.#hasExpired;
  }

  /**
   * Its bytes, once. Rejects with BAD_ARGUMENT when it came too slowly or is no gzip, and with
   * ABORTED when its sender has gone.
   */
  bytes({ isGzip }: { readonly isGzip: boolean }): AsyncIterable<Uint8Array> {
    return isGzip ? gunzipped(this.#raw()) : this.#raw();
  }

  async *#raw(): AsyncGenerator<Uint8Array> {
    const { totalMs } = this.#limits;
    const endMs = performance.now() + totalMs;
    // What is left of it is read elsewhere, so that whoever sends it can read the answer.
    const chunks = this.#request.iterator({ destroyOnReturn: false });
    try {
      for (;;) {
        const { done, value } = await this.#inTime(chunks.next(), endMs - performance.now());
        if (done === true) return;
        yield value as Uint8Array;
      }
    } finally {
      // Not awaited: it waits for the next piece, which may never come.
      void chunks.return?.(undefined).catch(() => undefined);
    }
  }

  async #inTime<T>(next: Promise<T>, leftMs: number): Promise<T> {
    const { idleMs, totalMs } = this.#limits;
    const { promise: expired, reject } = Promise.withResolvers<never>();
    const expire = (): void => {
      this.#hasExpired = true;
      const isOverdue = leftMs < idleMs;
      const why = isOverdue
        ? `it took more than ${totalMs / 1000} s`
        : `nothing for ${idleMs / 1000} s`;
      reject(new AltNetError('BAD_ARGUMENT', { what: 'the body', why }));
    };
    const timer = setTimeout(expire, Math.max(0, Math.min(idleMs, leftMs)));
    try {
      return await Promise.race([next, expired]);
    } catch (error) {
      if (error instanceof AltNetError) throw error;
      throw new AltNetError('ABORTED', {}, { cause: error }); // a connection that broke
    } finally {
      clearTimeout(timer);
    }
  }
}

async function* gunzipped(packed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip();
  let failure: { readonly error: unknown } | undefined;
  const source = Readable.from(packed, { objectMode: false });
  const feeding = pipeline(source, gunzip).catch((error: unknown) => (failure = { error }));
  try {
    yield* gunzip as AsyncIterable<Uint8Array>;
  } catch (error) {
    await feeding;
    const first = failure?.error ?? error;
    if (first instanceof AltNetError) throw first;
    throw new AltNetError('BAD_ARGUMENT', { what: 'the body', why: 'it is not valid gzip' });
  }
}
