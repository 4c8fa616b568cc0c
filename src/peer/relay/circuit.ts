/**
 * One circuit at a relay: what comes from one end goes to the other, as fast as that one takes it,
 * until an end closes or the limits are reached. What it carries is encrypted from end to end.
 */
import type { Timers } from '../../base/clock.ts';
import type { Bytes } from '../../base/bytes.ts';
import type { ByteStream } from '../stream.ts';

export interface CircuitEnd {
  readonly stream: ByteStream;
  /** Octets in this process that came from this end, or wait to go there. */
  readonly heldBytes: () => number;
  /** What was read of it already. */
  readonly early: Bytes;
}

export interface CircuitLimits {
  /** Each way. */
  readonly bytesMax: number;
  readonly durationMs: number;
}

export class Circuit {
  readonly #ends: readonly [CircuitEnd, CircuitEnd];
  #bytes = 0;
  /** Of each direction: since when its end has not taken what was written. */
  readonly #blockedSince: [number | undefined, number | undefined] = [undefined, undefined];
  readonly #clock: () => number;

  constructor(ends: readonly [CircuitEnd, CircuitEnd], clock: () => number) {
    this.#ends = ends;
    this.#clock = clock;
  }

  /** Carried, both ways together. */
  get bytes(): number {
    return this.#bytes;
  }

  get heldBytes(): number {
    return this.#ends[0].heldBytes() + this.#ends[1].heldBytes();
  }

  /** How long one of the ends has taken nothing of what waits for it. */
  blockedMs(): number {
    const since = this.#blockedSince.filter((at) => at !== undefined);
    return since.length === 0 ? 0 : this.#clock() - Math.min(...since);
  }

  /** Resolves when it is over, for whatever reason. */
  async run({ bytesMax, durationMs }: CircuitLimits, timers: Timers): Promise<void> {
    const [a, b] = this.#ends;
    const { promise: tooLong, reject } = Promise.withResolvers<never>();
    const cancel = timers.after(durationMs, () => reject(new Error('the circuit took too long')));
    try {
      await Promise.race([this.#copy(0, bytesMax), this.#copy(1, bytesMax), tooLong]);
      await Promise.all([a.stream.close(), b.stream.close()]);
    } catch (error) {
      this.abort(error instanceof Error ? error : new Error('the circuit broke'));
    } finally {
      cancel();
    }
  }

  abort(reason: Error): void {
    for (const { stream } of this.#ends) stream.abort(reason);
  }

  async #copy(way: 0 | 1, bytesMax: number): Promise<void> {
    const [from, to] = way === 0 ? this.#ends : [this.#ends[1], this.#ends[0]];
    let left = bytesMax;
    const carry = async (bytes: Bytes): Promise<void> => {
      left -= bytes.length;
      if (left < 0) throw new Error('the circuit carried all that it may');
      this.#bytes += bytes.length;
      this.#blockedSince[way] = this.#clock();
      await to.stream.write(bytes);
      this.#blockedSince[way] = undefined;
    };
    if (from.early.length > 0) await carry(from.early);
    for await (const chunk of from.stream.read) await carry(chunk);
  }
}
