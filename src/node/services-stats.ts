/** The visits of sites as users see them. */
import type { SiteStatsServices } from '../api/ports-trust.ts';
import { parseAddress } from '../name/place.ts';
import { formatDay } from '../stats/utc-day.ts';
import type { Parts } from './parts.ts';

export function siteStatsServices({ stats }: Pick<Parts, 'stats'>): SiteStatsServices {
  return {
    /** Of a name below another, those of that one: it is one site to the counts. */
    async siteStats(what) {
      const { name } = parseAddress(what).apex;
      const counted = stats.of(name.replace(/\.alt$/, ''));
      return {
        name,
        requests: counted?.requests ?? 0,
        bytes: counted?.bytes ?? 0,
        unique_ips: counted?.visitors ?? 0,
        last_seen_unix: counted?.lastSeen ?? 0,
        days: (counted?.days ?? []).map(({ day, requests, bytes, visitors }) => ({
          date: formatDay(day),
          requests,
          bytes,
          unique_ips: visitors,
        })),
      };
    },
  };
}
