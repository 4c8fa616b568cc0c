/** The node itself and the nodes that it knows, as users see them. */
import type { ModeInfo, PeerLine, StatsResult } from '../api/ports-network.ts';
import type { NodeServices } from '../api/ports.ts';
import type { RelaysResult } from '../api/ports-relays.ts';
import { formatEndpoint } from '../base/address.ts';
import { parseHex, toHex } from '../base/bytes.ts';
import { AltNetError } from '../base/errors.ts';
import type { ModeStatus } from '../dht/mode/mode.ts';
import { type Contact, shortId } from '../identity/contact.ts';
import { keyId } from '../identity/key.ts';
import { contactAt, parseBootstrapAddress } from './bootstrap.ts';
import type { ListFreshness } from '../revocation/freshness.ts';
import { endingNames } from '../name/certificate-watch.ts';
import type { Parts } from './parts.ts';
import { countHeld } from './services-held.ts';

type NetworkServices = Pick<
  NodeServices,
  'keys' | 'stats' | 'peers' | 'dht' | 'relays' | 'ping' | 'find' | 'bootstrap'
>;

export interface NetworkContext {
  /** Monotonic milliseconds. */
  readonly startedMs: number;
  readonly storeBudgetBytes: number;
}

/** Nodes pinged at the same time. */
const pingsAtOnce = 8;

export function networkServices(parts: Parts, context: NetworkContext): NetworkServices {
  const { identity, dht, transport, world } = parts;
  return {
    keys: () => ({
      node: toHex(identity.node.id),
      nodePublicKey: toHex(identity.node.publicKey),
      author: toHex(identity.author.id),
      authorPublicKey: toHex(identity.author.publicKey),
    }),
    stats: async () => stats(parts, context),
    peers: async () => peers(parts),
    dht: async () => dhtInfo(parts),
    relays: async () => relays(parts),

    async ping(id, { signal } = {}) {
      const contacts =
        id === undefined ? dht.table.contacts() : [await findNode(parts, id, signal)];
      const results = [];
      for (let i = 0; i < contacts.length; i += pingsAtOnce) {
        const batch = contacts.slice(i, i + pingsAtOnce);
        results.push(...(await Promise.all(batch.map((to) => pingOne(parts, to, signal)))));
      }
      return results;
    },

    async find(id, { signal } = {}) {
      const target = parseHex(id, 32);
      if (!target) throw badId(id, '64 hex digits');
      const { closest } = await dht.lookup(target, { signal });
      return closest.map(shownContact);
    },

    async bootstrap(address, { signal } = {}) {
      const contact = await contactAt(parseBootstrapAddress(address), transport, { world, signal });
      const table = await dht.join([contact], { signal });
      return { ...shownContact(contact), table };
    },
  };
}

function stats(
  parts: Parts,
  { startedMs, storeBudgetBytes }: NetworkContext,
): Awaited<ReturnType<NodeServices['stats']>> {
  const { identity, store, transport, peers: host, dht, mode, sites, names, world } = parts;
  const { revocations, waysIn, relays: ownRelays } = parts;
  const served = ownRelays.served();
  const { blocks } = store.blocks.stats();
  const { bytes } = store.holdings.usage();
  const { few, lookedMs } = sites.copiesHealth();
  const [listen] = transport.address();
  const ending = endingNames(names.list(), world.clock).length;
  return {
    node: toHex(identity.node.id),
    author: toHex(identity.author.id),
    listen: listen ? formatEndpoint(listen) : '',
    peers: host.connections().length,
    table: dht.table.size,
    records: dht.held().records,
    blocks,
    bytes,
    budget: storeBudgetBytes,
    ...shownMode(mode.status()),
    reachability: waysIn.reachability(),
    uptime: Math.floor((world.clock.monotonicMs() - startedMs) / 1000),
    relays: ownRelays.used().map(({ address }) => formatEndpoint(address.endpoint)),
    ...(served && { relayedNodes: served.reservations }),
    ...countHeld(store.counted()),
    fewCopies: few,
    ...countRevokers(revocations.freshness().lists),
    ...(ending > 0 && { certificatesEnding: ending }),
    ...(lookedMs !== undefined && { looked: Math.floor(lookedMs / 1000) }),
  };
}

function countRevokers(
  lists: readonly ListFreshness[],
): Pick<
  StatsResult,
  'revokers' | 'staleRevokers' | 'revocationsStaleSince' | 'contradictoryRevokers'
> {
  const stale = lists.flatMap(({ state, nextUpdate = 0 }) => (state === 'stale' ? nextUpdate : []));
  return {
    revokers: lists.length,
    staleRevokers: stale.length,
    ...(stale.length > 0 && { revocationsStaleSince: Math.min(...stale) }),
    contradictoryRevokers: lists.filter(({ equivocated }) => equivocated).length,
  };
}

function peers({ dht, peers: host, world }: Parts): PeerLine[] {
  const nowMs = world.clock.monotonicMs();
  const known = dht.table.entries().map(({ contact, rttMs, seenMs }): PeerLine => ({
    ...shownContact(contact),
    via: 'dht',
    rttMs: Math.round(rttMs * 10) / 10,
    seenSeconds: Math.floor((nowMs - seenMs) / 1000),
  }));
  const connected = host.connections().map(({ publicKey, address }): PeerLine => ({
    id: toHex(keyId(publicKey)),
    address,
    via: 'connection',
  }));
  return [...known, ...connected];
}

function dhtInfo({
  dht,
  transport,
  mode,
  waysIn,
}: Parts): Awaited<ReturnType<NodeServices['dht']>> {
  const { received, answered, unanswered, refused } = dht.counters();
  return {
    ...shownMode(mode.status()),
    reachability: waysIn.reachability(),
    table: dht.table.size,
    buckets: dht.table.buckets().map((bucket) => ({ ...bucket })),
    networkSize: Math.round(dht.networkSize()),
    records: dht.held().records,
    requests: {
      ...prefixed('received', received),
      ...prefixed('answered', answered),
      ...prefixed('unanswered', unanswered),
    },
    refused: { ...refused },
    packets: { ...transport.counters() },
  };
}

function relays({ relays: own }: Parts): RelaysResult {
  const served = own.served();
  const used = own.used().map(({ address, sinceMs, state, connections, bytes }) => ({
    id: toHex(keyId(address.relayKey)),
    address: formatEndpoint(address.endpoint),
    since: Math.floor(sinceMs / 1000),
    state,
    connections,
    bytes,
  }));
  if (!served) return { state: clientState(used.length, own.areNeeded), used };
  const { reservations, circuits: connections, bytes, refused } = served;
  const counts = { reservations, connections, bytes, refused: { ...refused } };
  return { state: 'relay', used, served: counts };
}

function clientState(places: number, areNeeded: boolean): RelaysResult['state'] {
  if (places > 0) return 'reachable';
  return areNeeded ? 'searching' : 'not-needed';
}

/** The clock of a node alone, or among few, is not compared. */
function shownMode({ mode, reason, address, clockOffsetSeconds }: ModeStatus): ModeInfo {
  return {
    mode,
    ...(reason !== undefined && { reason }),
    ...(address && { address: formatEndpoint(address) }),
    ...(clockOffsetSeconds !== undefined && {
      clockOffsetSeconds: Math.round(clockOffsetSeconds * 10) / 10,
    }),
  };
}

function prefixed(
  prefix: string,
  counts: Readonly<Record<string, number>>,
): Record<string, number> {
  return Object.fromEntries(
    Object.entries(counts).map(([name, count]) => [`${prefix}.${name}`, count]),
  );
}

/** The node of a full ID, or of the first 40 digits of one that the table has. */
async function findNode(
  { dht }: Parts,
  id: string,
  signal: AbortSignal | undefined,
): Promise<Contact> {
  const wanted = id.toLowerCase();
  const isShort = parseHex(id, 20) !== undefined;
  const full = parseHex(id, 32);
  if (!full && !isShort) throw badId(id, '64 or the first 40 hex digits');
  const matches = (contact: Contact): boolean =>
    isShort ? shortId(contact.id) === wanted : toHex(contact.id) === wanted;
  const known = dht.table.contacts().find(matches);
  if (known) return known;
  const found = full && (await dht.lookup(full, { signal })).closest.find(matches);
  if (found) return found;
  throw new AltNetError('UNREACHABLE', { what: `node ${id}`, why: 'no node here knows it' });
}

async function pingOne(
  { transport, world }: Parts,
  contact: Contact,
  signal: AbortSignal | undefined,
): Promise<{ id: string; address: string; ms?: number; error?: string }> {
  const shown = shownContact(contact);
  const begunMs = world.clock.monotonicMs();
  try {
    await transport.call(contact, { method: 'ping' }, { signal });
    return { ...shown, ms: Math.round((world.clock.monotonicMs() - begunMs) * 1000) / 1000 };
  } catch (error) {
    signal?.throwIfAborted();
    return { ...shown, error: error instanceof Error ? error.message : 'no answer' };
  }
}

function shownContact({ id, endpoint }: Contact): { id: string; address: string } {
  return { id: toHex(id), address: formatEndpoint(endpoint) };
}

function badId(id: string, want: string): AltNetError<'BAD_ARGUMENT'> {
  return new AltNetError('BAD_ARGUMENT', { what: id, why: `a node ID has ${want}` });
}
