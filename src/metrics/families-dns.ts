/** The metrics of the DNS service. */
import { type Family, labelled, single } from './family.ts';
import type { NodeSnapshot } from './snapshot.ts';

export const dnsFamilies: readonly Family<NodeSnapshot>[] = [
  labelled(
    'counter',
    {
      name: 'altnet_dns_queries_total',
      help: 'Messages to the DNS service by what they came by.',
      label: 'transport',
    },
    ({ dns }) => dns?.received ?? {},
  ),
  {
    name: 'altnet_dns_responses_total',
    help: 'Answers of the DNS service by what was asked for and by code.',
    type: 'counter',
    labels: ['kind', 'code'],
    read: ({ dns }) =>
      Object.entries(dns?.answered ?? {}).map(([name, value]) => {
        const [kind = '', code = ''] = name.split('.');
        return { labels: { kind, code }, value };
      }),
  },
  labelled(
    'counter',
    {
      name: 'altnet_dns_upstream_total',
      help: 'Questions to other resolvers, and answers that made one unnecessary, by result.',
      label: 'result',
    },
    ({ dns }) => dns?.upstream ?? {},
  ),
  labelled(
    'counter',
    {
      name: 'altnet_dns_limited_total',
      help: 'Queries, searches and connections that were turned away, by limit.',
      label: 'limit',
    },
    ({ dns }) => dns?.limited ?? {},
  ),
  single(
    'counter',
    {
      name: 'altnet_dns_lookups_total',
      help: 'Searches for names that DNS queries made necessary.',
    },
    ({ dns }) => dns?.lookups,
  ),
  single(
    'gauge',
    { name: 'altnet_dns_cache_bytes', help: 'Answers of other resolvers that are remembered.' },
    ({ dns }) => dns?.cacheBytes,
  ),
];
