/**
 * Delays that double: of what failed and is tried again, ever later. It knows neither what failed
 * nor the time.
 */

export interface Doubling {
  readonly firstMs: number;
  readonly lastMs: number;
}

/** The delay after one of `beforeMs`; undefined: there was none lately. */
export function nextDelayMs(beforeMs: number | undefined, { firstMs, lastMs }: Doubling): number {
  return beforeMs === undefined ? firstMs : Math.min(2 * beforeMs, lastMs);
}
