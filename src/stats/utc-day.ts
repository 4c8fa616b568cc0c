/** Days of UTC as numbers: since 1970, as records of a site's visits count them. Pure. */

export const dayMs = 86_400_000;

export function utcDay(unixMs: number): number {
  return Math.floor(unixMs / dayMs);
}

/** "2026-11-21". */
export function formatDay(day: number): string {
  return new Date(day * dayMs).toISOString().slice(0, 10);
}
