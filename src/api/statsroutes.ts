/** The endpoint for the visits of a site (docs/spec/stats.md). */
import type { SiteStatsResult } from './ports-trust.ts';
import { inputs, type NameInput } from './inputs.ts';
import { type Route, route } from './route.ts';
import { count, list, type Schema, shape, text, unixTime } from './schema.ts';

const date: Schema = { type: 'string', format: 'date', description: 'a day of UTC' };
const siteStats = shape<SiteStatsResult>(
  {
    name: text,
    requests: count,
    bytes: count,
    unique_ips: count,
    last_seen_unix: unixTime,
    days: list(
      shape<SiteStatsResult['days'][number]>(
        { date, requests: count, bytes: count, unique_ips: count },
        {},
      ),
    ),
  },
  {},
);

export const statsRoutes: readonly Route[] = [
  route<NameInput>({
    method: 'GET',
    path: '/api/stats/:name',
    summary: "How often a site was opened through this node's gateway, and by how many",
    from: 'params',
    input: inputs.name,
    answer: { json: siteStats },
    run: (services, { name }) => services.siteStats(name),
  }),
];
