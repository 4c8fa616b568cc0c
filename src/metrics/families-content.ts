/** The metrics of what a node holds, of copies, of what it finds, and of what it must not hold. */
import { type Family, labelled, single } from './family.ts';
import type { NodeSnapshot, RevocationsSnapshot } from './snapshot.ts';

type NodeFamily = Family<NodeSnapshot>;

const store: readonly NodeFamily[] = [
  single('gauge', { name: 'altnet_store_blocks', help: 'Blocks in the store.' }, (node) => {
    return node.store.blocks;
  }),
  single(
    'gauge',
    { name: 'altnet_store_bytes', help: 'What sites take on the disk, of the budget.' },
    (node) => node.store.bytes,
  ),
  single(
    'gauge',
    { name: 'altnet_store_budget_bytes', help: 'What sites may take on the disk.' },
    (node) => node.store.budgetBytes,
  ),
  single(
    'counter',
    { name: 'altnet_store_evictions_total', help: 'Sites that went to make room for others.' },
    (node) => node.store.evicted,
  ),
  labelled(
    'gauge',
    {
      name: 'altnet_holdings',
      help: 'Sites, files and values by why they are here: own, copy or visited.',
      label: 'kind',
    },
    (node) => node.store.holdings,
  ),
  single(
    'gauge',
    { name: 'altnet_holdings_incomplete', help: 'Those of them that are here in part.' },
    (node) => node.store.incomplete,
  ),
];

const copies: readonly NodeFamily[] = [
  labelled(
    'counter',
    {
      name: 'altnet_copies_offered_total',
      help: 'Copies offered to other nodes by result: kept, held already, or why not.',
      label: 'result',
    },
    (node) => node.copies.offered,
  ),
  labelled(
    'counter',
    {
      name: 'altnet_copies_taken_total',
      help: 'Copies that other nodes offered by result: kept, held already, or why not.',
      label: 'result',
    },
    (node) => node.copies.taken,
  ),
  single(
    'gauge',
    {
      name: 'altnet_copies_few',
      help: 'Own sites with fewer copies elsewhere than wanted at the last look.',
    },
    (node) => node.copies.few,
  ),
  labelled(
    'counter',
    {
      name: 'altnet_exchange_refused_total',
      help: 'Streams of readers that were refused or cut short, by reason.',
      label: 'reason',
    },
    (node) => node.copies.unserved,
  ),
];

const lookups: readonly NodeFamily[] = [
  labelled(
    'counter',
    {
      name: 'altnet_names_resolved_total',
      help: 'Names that were answered, from memory or after a search, by state.',
      label: 'state',
    },
    (node) => node.resolved,
  ),
  labelled(
    'counter',
    {
      name: 'altnet_link_searches_total',
      help: 'Searches for links by result; broken-off: the caller left, or it failed.',
      label: 'result',
    },
    (node) => node.linkSearches,
  ),
];

const trust: readonly NodeFamily[] = [
  labelled(
    'gauge',
    {
      name: 'altnet_trust_entries',
      help: 'Entries in force of the lists in the data folder.',
      label: 'list',
    },
    (node) => node.trust,
  ),
  {
    name: 'altnet_denials_total',
    help: 'Questions whether something may be had here that were denied, by what it was and why.',
    type: 'counter',
    labels: ['what', 'why'],
    read: ({ denied }) =>
      Object.entries(denied).map(([name, value]) => {
        const [what = '', why = ''] = name.split('.');
        return { labels: { what, why }, value };
      }),
  },
  labelled(
    'gauge',
    {
      name: 'altnet_revocation_lists',
      help: 'Trusted revokers by the state of the newest list seen of them.',
      label: 'state',
    },
    ({ revocations }) => statesOf(revocations),
  ),
  single(
    'gauge',
    { name: 'altnet_revocations', help: 'Names and roots that trusted revokers have revoked.' },
    ({ revocations: { lists } }) => lists.reduce((sum, { inForce }) => sum + inForce, 0),
  ),
  single(
    'gauge',
    {
      name: 'altnet_revocation_age_seconds',
      help: 'Age of the oldest among the newest lists of trusted revokers; absent without any.',
    },
    ({ revocations, unixSeconds }) => ageOf(revocations, unixSeconds),
  ),
  single(
    'gauge',
    {
      name: 'altnet_revocation_contradictions',
      help: 'Trusted revokers of whom two lists that contradict each other were seen.',
    },
    ({ revocations: { lists } }) => lists.filter(({ equivocated }) => equivocated).length,
  ),
  single(
    'counter',
    { name: 'altnet_revocations_passed_on_total', help: 'Newer lists that were passed on.' },
    (node) => node.revocations.passedOn,
  ),
];

function statesOf({ lists }: RevocationsSnapshot): Record<'fresh' | 'stale' | 'unknown', number> {
  const counts = { fresh: 0, stale: 0, unknown: 0 };
  for (const { state } of lists) counts[state]++;
  return counts;
}

function ageOf({ lists }: RevocationsSnapshot, now: number): number | undefined {
  const ages = lists.flatMap(({ issued }) => (issued === undefined ? [] : [now - issued]));
  return ages.length === 0 ? undefined : Math.max(0, ...ages);
}

export const contentFamilies: readonly NodeFamily[] = [...store, ...copies, ...lookups, ...trust];
