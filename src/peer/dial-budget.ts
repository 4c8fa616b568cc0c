/**
 * How often addresses that strangers' records name may be dialled, so that a thousand records with
 * a victim's address do not turn every node into a gun (docs/spec/exchange.md, "Dialling").
 */
import { type Endpoint, formatIp, scopeOf } from '../base/address.ts';
import type { Clock } from '../base/clock.ts';
import { LruMap } from '../base/limits.ts';

export const dialsPerMinute = 4;
const minuteMs = 60_000;

export class DialBudget {
  readonly #clock: Clock;
  readonly #dials = new LruMap<string, readonly number[]>(4096); // BOUNDED by its size

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether a dial may go out now; counts it if so. Only global addresses are counted. */
  take({ ip }: Endpoint): boolean {
    if (scopeOf(ip) !== 'global') return true;
    const now = this.#clock.monotonicMs();
    const key = formatIp(ip);
    const recent = (this.#dials.get(key) ?? []).filter((at) => now - at < minuteMs);
    if (recent.length >= dialsPerMinute) return false;
    this.#dials.set(key, [...recent, now]);
    return true;
  }
}
