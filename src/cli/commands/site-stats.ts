/** `altnet stats NAME`: how often a site was opened through this node, by day. Printing only. */
import type { SiteStatsResult } from '../../api/ports-trust.ts';
import { formatBytes } from '../../base/byte-count.ts';
import { formatFields, formatMoment, formatTable, sanitize } from '../format.ts';

export function siteStatsLines(stats: SiteStatsResult): string[] {
  const { name, requests, bytes, unique_ips: visitors, last_seen_unix: seen, days } = stats;
  if (requests === 0) return [`${sanitize(name)}: nobody opened it through this node's gateway`];
  const sums = formatFields([
    ['name', name],
    ['requests', requests],
    ['bytes', formatBytes(bytes)],
    ['visitors', `${visitors}, each counted once a day`],
    ['last', formatMoment(seen)],
  ]);
  if (days.length === 0) return sums;
  const rows = days.map((day) => [
    day.date,
    String(day.requests),
    formatBytes(day.bytes),
    String(day.unique_ips),
  ]);
  return [...sums, ...formatTable(['day (UTC)', 'requests', 'bytes', 'visitors'], rows)];
}
