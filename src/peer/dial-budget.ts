/**
 * How often addresses that strangers' records name may be dialled, so that a thousand records with
 * a victim's address do not turn every node into a gun (docs/spec/exchange.md, "Dialling").
 */
import { type Endpoint, formatEndpoint, formatIp, scopeOf } from '../base/address.ts';
import { type Bytes, toHex } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import { LruMap } from '../base/limits.ts';

export const dialsPerMinute = 4;
const minuteMs = 60_000;

/** Some address was left out. It may be dialled when `waitMs` have passed, if nobody else is. */
export class DialPutOff extends Error {
  override readonly name = 'DialPutOff';
  readonly waitMs: number;

  constructor(waitMs: number, cause?: unknown) {
    super('an address was dialled too often in the last minute', { cause });
    this.waitMs = waitMs;
  }
}

export class DialBudget {
  readonly #clock: Clock;
  /** Where a node was met that proved its key: no victim. BOUNDED by its size. */
  readonly #proven = new LruMap<string, true>(1024);
  readonly #dials = new LruMap<string, readonly number[]>(4096); // BOUNDED by its size

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * How long a dial has to wait; 0 when it may go out now, and then it is counted. Only global
   * addresses are counted, and not where this very node was met before: otherwise whoever names
   * that address under other keys would keep everybody from it.
   */
  take(to: Endpoint, publicKey: Bytes): number {
    if (scopeOf(to.ip) !== 'global' || this.#proven.get(pairOf(to, publicKey))) return 0;
    const now = this.#clock.monotonicMs();
    const key = formatIp(to.ip);
    const recent = (this.#dials.get(key) ?? []).filter((at) => now - at < minuteMs);
    const [oldest = now] = recent;
    if (recent.length >= dialsPerMinute) return Math.ceil(oldest + minuteMs - now);
    this.#dials.set(key, [...recent, now]);
    return 0;
  }

  /** What became of a dial: whether a node with this key was met there. */
  settle(to: Endpoint, publicKey: Bytes, wasMet: boolean): void {
    const pair = pairOf(to, publicKey);
    if (wasMet) this.#proven.set(pair, true);
    else this.#proven.delete(pair);
  }
}

function pairOf(to: Endpoint, publicKey: Bytes): string {
  return `${toHex(publicKey)} ${formatEndpoint(to)}`;
}
