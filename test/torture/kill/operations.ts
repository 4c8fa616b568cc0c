/**
 * What a node is asked to do while it is killed. Each operation first writes down what it asks for,
 * then asks, then writes down that it was acknowledged; each can be asked again after a crash.
 */
import { createHash } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { NodeServices } from '../../../src/api/ports.ts';
import { isAltNetError } from '../../../src/base/errors.ts';
import type { SeededRandom } from '../../../sim/random.ts';
import {
  changeSite,
  type Digests,
  difference,
  digestsOf,
  sampleValue,
  writeSite,
} from '../samples.ts';
import type { Ledger, Site } from './ledger.ts';

export const operationKinds = [
  'publish',
  'update',
  'put value',
  'put link',
  'fetch',
  'evict',
  'unpublish',
  'mixed',
] as const;
export type OperationKind = (typeof operationKinds)[number];

/** A site that another node holds. */
export interface OtherSite {
  readonly root: string;
  readonly digests: Digests;
}

export interface Workshop {
  readonly ledger: Ledger;
  readonly random: SeededRandom;
  /** Sources of what is published, and destinations of what is fetched. */
  readonly scratch: string;
  readonly others: readonly OtherSite[];
  /** Called with what kind of thing the node said it has. */
  readonly acknowledged: (what: string) => void;
  /** A fetch that succeeded with the wrong bytes. */
  readonly wrong: (what: string) => void;
}

/** Asks, and may be asked again when the node died meanwhile. */
export type Operation = (services: NodeServices) => Promise<void>;

/** What the sum of own content may be: above, something is unpublished first. */
const ownSitesMax = 7;
const linksMax = 40;
const valuesMax = 20;
let count = 0;

/** Draws everything about the operation now, so that asking again asks for the same. */
export function operationOf(kind: OperationKind, shop: Workshop): Operation {
  const { ledger } = shop;
  switch (kind) {
    case 'publish':
      return ledger.sites.size < ownSitesMax ? publishNew(shop) : unpublish(shop);
    case 'update':
      return update(shop);
    case 'put value':
      return ledger.values.length < valuesMax ? putValue(shop) : publishNew(shop);
    case 'put link':
      return ledger.links.length < linksMax ? putLink(shop) : fetchSome(shop, 1);
    case 'fetch':
      return fetchSome(shop, 1);
    case 'evict':
      return fetchSome(shop, 4);
    case 'unpublish':
      return ledger.sites.size > 2 ? unpublish(shop) : publishNew(shop);
    case 'mixed':
      return mixed(shop);
    default:
      return kind satisfies never;
  }
}

/** Several at the same time. */
function mixed(shop: Workshop): Operation {
  const kinds = ['publish', 'update', 'put value', 'put link', 'fetch', 'evict'] as const;
  const parts = kinds
    .filter(() => shop.random.below(2) === 0)
    .map((part) => (part === 'publish' ? publishNew(shop) : operationOf(part, shop)));
  return async (services) => {
    const ends = await Promise.allSettled(parts.map((part) => part(services)));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  };
}

function publishNew(shop: Workshop): Operation {
  const { ledger, random, scratch } = shop;
  const folder = path.join(scratch, `site-${count++}`);
  const digests = writeSite(folder, random);
  const name = random.below(3) > 0 ? `site-${count}-${random.below(1e9)}.alt` : undefined;
  const site: Site = { name, root: undefined, versions: [digests], fate: 'maybe' };
  return async (services) => {
    ledger.sites.set(folder, site);
    await publish(shop, services, { folder, site, digests });
  };
}

function update(shop: Workshop): Operation {
  const { ledger, random } = shop;
  const settled = [...ledger.sites].filter(([, { name, fate }]) => name && fate === 'there');
  const [folder, site] = settled[random.below(settled.length)] ?? [];
  if (folder === undefined || site === undefined) return publishNew(shop);
  const digests = changeSite(folder, random);
  return async (services) => {
    if (!site.versions.includes(digests)) site.versions = [...site.versions, digests];
    await publish(shop, services, { folder, site, digests });
  };
}

async function publish(
  { acknowledged }: Workshop,
  services: NodeServices,
  { folder, site, digests }: { folder: string; site: Site; digests: Digests },
): Promise<void> {
  const { root } = await services.publish({ path: folder, name: site.name });
  site.root = root;
  site.versions = [digests];
  site.fate = 'there';
  acknowledged(site.name === undefined ? 'site' : 'site with a name');
}

function unpublish(shop: Workshop): Operation {
  const { ledger, random } = shop;
  const list = [...ledger.sites];
  const [folder, site] = list[random.below(list.length)] ?? [];
  if (folder === undefined || site === undefined) return publishNew(shop);
  return async (services) => {
    await letGo(services);
    site.fate = 'leaving';
    const what = site.root ?? site.name;
    if (what !== undefined) await remove(services, what);
    ledger.sites.delete(folder);
    rmSync(folder, { recursive: true, force: true });
    shop.acknowledged('removal');
  };
}

/** Versions that nothing points to any more would stay for a day, which is longer than this lasts. */
async function letGo(services: NodeServices): Promise<void> {
  for (const { root, superseded } of await services.sites({ own: true })) {
    if (superseded !== undefined) await remove(services, root);
  }
}

async function remove(services: NodeServices, what: string): Promise<void> {
  try {
    await services.unpublish({ what });
  } catch (error) {
    // Asked again, after a crash: it had gone by then. Or it was never acknowledged.
    const gone = ['NOT_PUBLISHED', 'NAME_NOT_FOUND'] as const;
    if (!gone.some((code) => isAltNetError(error, code))) throw error;
  }
}

function putValue({ ledger, random, acknowledged }: Workshop): Operation {
  const bytes = sampleValue(random);
  const key = createHash('sha256').update(bytes).digest('hex');
  const value = { key, bytes, fate: 'maybe' as 'maybe' | 'there' };
  return async (services) => {
    if (!ledger.values.includes(value)) ledger.values.push(value);
    await services.putValue(bytes);
    value.fate = 'there';
    acknowledged('value');
  };
}

function putLink({ ledger, random, acknowledged }: Workshop): Operation {
  const id = `${count++}-${random.below(1e9)}`;
  const [url, target] = [`http://dead.example/${id}`, `https://mirror.example/${id}`];
  const link = { url, target, fate: 'maybe' as 'maybe' | 'there' };
  return async (services) => {
    if (!ledger.links.includes(link)) ledger.links.push(link);
    await services.putLink({ url, target });
    link.fate = 'there';
    acknowledged('link');
  };
}

/** Each fetched site pushes out another, for the budget has no room for all of them. */
function fetchSome(
  { random, others, scratch, acknowledged, wrong }: Workshop,
  many: number,
): Operation {
  const wanted = Array.from({ length: many }, () => others[random.below(others.length)]);
  return async (services) => {
    await Promise.all(
      wanted.map(async (site) => {
        if (!site) return;
        const dest = path.join(scratch, `fetched-${count++}`);
        try {
          await services.fetch({ what: site.root, dest });
          const why = difference(digestsOf(dest), site.digests);
          if (why !== undefined) wrong(`fetched ${site.root}: ${why}`);
          acknowledged('fetch');
        } finally {
          if (existsSync(dest)) rmSync(dest, { recursive: true, force: true });
        }
      }),
    );
  };
}
