/**
 * The inner half of the composition: keys, store, both networks, names, links and sites, without
 * anything that a user sees. Each part goes onto the stack that will end it.
 */
import path from 'node:path';
import type { Endpoint } from '../base/address.ts';
import { formatBytes } from '../base/byte-count.ts';
import { systemWorld, type World } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { syncProtocol } from '../content/exchange/frames.ts';
import { Reception } from '../content/reception/reception.ts';
import { Sites } from '../content/sites.ts';
import { Dht } from '../dht/dht.ts';
import { Mode, type ModeOptions } from '../dht/mode/mode.ts';
import { Publisher } from '../dht/placing/publisher.ts';
import { loadIdentity } from '../identity/files.ts';
import type { TargetDenials } from '../link/denied-target.ts';
import { Links } from '../link/links.ts';
import { CertificateWatch } from '../name/certificate-watch.ts';
import { Names } from '../name/names.ts';
import type { WithdrawalsHeld } from '../name/ports.ts';
import { Registrar } from '../name/registrar.ts';
import { PeerHost } from '../peer/host.ts';
import { networkId, type NetworkProfile, networkProfiles } from '../record/network.ts';
import { listFiles } from '../revocation/list-files.ts';
import { RevokerLists } from '../revocation/lists.ts';
import { Revocations } from '../revocation/revocations.ts';
import { UdpTransport } from '../rpc/transport.ts';
import { SiteStats } from '../stats/site-stats.ts';
import { openStore } from '../store/store.ts';
import { Trust } from '../trust/trust.ts';
import { denialOfRecord } from './denied-record.ts';
import { listenOnBoth, type Listeners } from './listen.ts';
import { neighbourAt } from './neighbours.ts';
import { nameOldRoots } from './old-roots.ts';
import type { NodeOptions } from './options.ts';
import { recalledReach } from './memory.ts';
import { OwnContact, type SeenAt } from './own-contact.ts';
import type { Parts } from './parts.ts';
import { keeperSearch, providerSearch } from './provider-search.ts';
import { Purge } from './purge.ts';
import { connectionsOf, listenForRelay, Relays } from './relays.ts';
import { WaysIn } from './ways-in.ts';
import { ShownSites } from './shown-sites.ts';
import { zoneFileReader } from './zone-file-reader.ts';

export interface Building {
  readonly stack: AsyncDisposableStack;
  readonly log: Logger;
}

export interface Core {
  readonly parts: Parts;
  /** Sentences for the user. */
  readonly notes: readonly string[];
}

/** What several parts are made with. */
interface Common {
  readonly world: World;
  readonly profile: NetworkProfile;
  readonly network: Uint8Array;
  readonly log: Logger;
}

/** Rejects with what keeps the node from starting; the stack ends what was started. */
export async function startCore(options: NodeOptions, { stack, log }: Building): Promise<Core> {
  const world = systemWorld;
  const profile = networkProfiles[options.network];
  const common: Common = { world, profile, network: networkId(profile), log };
  const identity = await loadIdentity({ keydir: options.keydir, random: world.random });
  const store = stack.use(
    await openStore({
      folder: options.data,
      world,
      log,
      budgetBytes: options.storeBudgetBytes,
      perPeerBudgetBytes: options.perPeerBudgetBytes,
    }),
  );
  const trust = stack.use(new Trust({ folder: options.trustFolder ?? options.data, world, log }));
  await trust.start();
  const own = identity.author.publicKey;
  const revokers = stack.use(
    new RevokerLists({ trusted: trust.revokers, own, notes: store.notes, ...world, log }),
  );
  await revokers.start();
  trust.denials.addRevoked(revokers);
  await nameOldRoots(store, log);
  const purge = stack.use(new Purge({ store, denials: trust.denials, log }));
  await purge.run(); // what was denied as this node went down is gone before it serves anybody
  const stats = stack.use(
    new SiteStats({ notes: store.notes, saltFile: saltFileIn(options.data), world, log }),
  );
  await stats.start();
  const {
    note,
    announced,
    external,
    own: contact,
    ...networks
  } = await startNetworks({ identity, store, trust }, { options, stack, common });
  const relays = stack.use(
    new Relays({ ...networks, ...common, notes: store.notes, key: identity.node }, options),
  );
  relays.onChange(() => contact.changed());
  const ways = { ...networks, ...common, relays, key: identity.node };
  const waysIn = stack.use(new WaysIn({ ...ways, onChange: () => contact.changed() }, options));
  external.of = waysIn.external;
  const base = { identity, store, trust, purge, stats, relays, waysIn, world, ...networks };
  const fields = await startFields(base, { options, stack, common });
  purge.start();
  await relays.start();
  await waysIn.start();
  const revocations = stack.use(revocationsOf(fields, revokers, common));
  announced.by = revocations;
  await revocations.start();
  const parts = { ...fields, revocations };
  return { parts, notes: [note ?? [], overfullNote(store, options) ?? []].flat() };
}

/** The secret of the day that visitors are counted under, see docs/spec/stats.md. */
function saltFileIn(folder: string): string {
  return path.join(folder, 'visitor-salt');
}

/** Following lists and writing one, over the parts that there are by now. */
function revocationsOf(
  { dht, peers, publisher, sites, mode, identity }: Omit<Parts, 'revocations'>,
  lists: RevokerLists,
  common: Common,
): Revocations {
  return new Revocations({
    ...common,
    lists,
    network: dht,
    publisher,
    files: listFiles(sites),
    connections: peers,
    signer: { key: identity.author, network: common.network },
    clock: mode.clock,
  });
}

/** What its user published is never dropped, so nothing else has room then. */
function overfullNote(
  store: Parts['store'],
  { storeBudgetBytes }: Pick<NodeOptions, 'storeBudgetBytes'>,
): string | undefined {
  const bytes = store.pinnedBytes();
  if (bytes <= storeBudgetBytes) return undefined;
  const [own, budget] = [formatBytes(bytes), formatBytes(storeBudgetBytes)];
  return `your own sites take ${own}, more than the ${budget} of --store-budget: nothing else can be stored; raise it, or drop a site with: altnet unpublish`;
}

/** Both networks, and what this node knows of its place in them. */
async function startNetworks(
  { identity, store, trust }: Pick<Parts, 'identity' | 'store' | 'trust'>,
  { options, stack, common }: { options: NodeOptions; stack: AsyncDisposableStack; common: Common },
): Promise<
  Pick<Parts, 'transport' | 'peers' | 'mode' | 'dht'> & {
    readonly note: string | undefined;
    readonly own: OwnContact;
    /** Who is told of announcements, once there is somebody. */
    readonly announced: { by: Revocations | undefined };
    /** Where others connect to this node, once somebody finds out. */
    readonly external: { of: WaysIn['external'] };
  }
> {
  const { world, network, log } = common;
  // Requests may come in before all of this node is there.
  let late: { readonly own: OwnContact; readonly mode: Mode; readonly dht: Dht } | undefined;
  const announced: { by: Revocations | undefined } = { by: undefined };
  const external: { of: WaysIn['external'] } = { of: () => undefined };
  const denied = targetDenials(trust);
  const contactRecord = (): Uint8Array | undefined => late?.own.current();
  const nearby = (key: Uint8Array): Endpoint | undefined =>
    late && neighbourAt(late.dht.table, key);
  const bound = await listenOnBoth(
    { address: options.listen, explicit: options.listenExplicit },
    {
      transport: (listen) =>
        new UdpTransport(
          {
            ...common,
            key: identity.node,
            contactRecord,
            isServer: (ip) => late?.mode.isServer(ip) ?? false,
            networkSize: () => late?.dht.networkSize(),
          },
          { listen },
        ),
      // Who does not listen has no address to announce, and so provides nothing.
      peers: (udp) => {
        const listen = options.guest ? [] : listenForRelay(udp, options.relay);
        const connectionsMax = connectionsOf(options.relay);
        const outside = { external: () => external.of(), nearby };
        const how = { listen, connectionsMax, logger: log, world, ...outside };
        return new PeerHost({ key: identity.node, ...how });
      },
    },
  );
  const { transport, peers }: Listeners = bound.value;
  stack.use(transport);
  stack.use(peers);
  const mode = stack.use(
    new Mode(
      { transport, world, log, contacts: () => late?.dht.table.contacts() ?? [] },
      { ...options.mode, role: roleOf(options) },
    ),
  );
  const dht = stack.use(
    new Dht({
      ...common,
      self: () => identity.node,
      transport,
      records: store.records,
      contactRecord,
      isServer: mode.isServer,
      earliestUnixMs: () => mode.clock.earliestUnixMs(),
      observe: mode.observe,
      reach: mode.reach,
      onNonce: mode.onNonce,
      denies: (record) => denialOfRecord(record, denied),
      onAnnounce: ({ contact }, record) => announced.by?.announced(record, contact.id),
    }),
  );
  const signer = { key: identity.node, network };
  const seen = (): SeenAt => ({ udp4: mode.address(4), udp6: mode.address(16) });
  const own = new OwnContact(signer, world.clock, { addresses: () => peers.addresses(), seen });
  late = { own, mode, dht };
  await dht.start();
  stack.defer(trust.denials.onChange(() => dht.reconsider()));
  mode.recall(recalledReach(store.notes, world.clock.unixMs()));
  mode.start();
  return { transport, peers, mode, dht, own, note: bound.note, announced, external };
}

function roleOf(options: Pick<NodeOptions, 'guest' | 'public'>): ModeOptions['role'] {
  if (options.guest) return 'guest';
  return options.public ? 'public' : 'earned';
}

type FieldName = 'publisher' | 'reception' | 'sites' | 'names' | 'registrar' | 'links';

/** Names, links and sites, and what keeps their records alive. */
async function startFields(
  base: Omit<Parts, FieldName | 'revocations'>,
  { options, stack, common }: { options: NodeOptions; stack: AsyncDisposableStack; common: Common },
): Promise<Omit<Parts, 'revocations'>> {
  const { identity, store, dht, peers, world, trust } = base;
  const denied = targetDenials(trust);
  const { network, log } = common;
  const publisher = stack.use(
    new Publisher({
      dht,
      journal: store.journal,
      world,
      recordClock: base.mode.clock,
      denies: (record) => denialOfRecord(record, denied) !== undefined,
      keys: identity,
      network,
      log,
    }),
  );
  await publisher.start();
  const naming = { ...common, dht, publisher, notes: store.notes, authorKey: identity.author };
  const reception = stack.use(
    new Reception({
      host: peers,
      timers: world.timers,
      log,
      onReceived: (from, bytes) => peers.noteReceived(syncProtocol, from, bytes),
    }),
  );
  const sites = stack.use(
    new Sites(
      {
        ...store,
        publisher,
        search: providerSearch(dht, identity.node.publicKey, {
          expects: options.bootstrap.length > 0,
        }),
        keepers: keeperSearch(dht, identity.node),
        connections: peers,
        reception,
        signer: { key: identity.node, network },
        world,
        logger: log,
        denials: trust.denials,
      },
      {
        replication: {
          replicas: options.replicas,
          repairIntervalMs: options.repairIntervalMs,
          // Who does not listen has no addresses; who is no server is not found by its ID.
          isKeeper: () => base.mode.isServer() && peers.addresses().length > 0,
          perPeerBytesMax: options.perPeerBudgetBytes,
        },
      },
    ),
  );
  await sites.start();
  const trustedZones = (): readonly Uint8Array[] => trust.zones();
  const readZoneFile = zoneFileReader(sites);
  const names = stack.use(
    new Names(
      { ...naming, readZoneFile, withdrawalsHeld: withdrawalsIn(store), denials: trust.denials },
      { trustedZones },
    ),
  );
  const registrar = stack.use(new Registrar({ ...naming, names: names.ownZone }));
  registrar.start();
  stack.use(new CertificateWatch({ names, world, log })).start();
  await new ShownSites({ sites, ...store, names }).reconcile();
  return {
    ...base,
    publisher,
    reception,
    sites,
    names,
    registrar,
    links: new Links({ ...naming, denied }),
  };
}

/** Of those that this node holds for the network. */
function withdrawalsIn({ records }: Pick<Parts['store'], 'records'>): WithdrawalsHeld {
  return (key) => records.list(key).flatMap(({ record }) => (record.tombstone ? [record] : []));
}

function targetDenials(trust: Parts['trust']): TargetDenials {
  return { denials: trust.denials, zones: () => trust.zones() };
}
