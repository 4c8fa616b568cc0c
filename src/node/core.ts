/**
 * The inner half of the composition: keys, store, both networks, names, links and sites, without
 * anything that a user sees. Each part goes onto the stack that will end it.
 */
import { scopeOf } from '../base/address.ts';
import { systemWorld, type World } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { Sites } from '../content/sites.ts';
import { Dht } from '../dht/dht.ts';
import { Publisher } from '../dht/publisher.ts';
import { loadIdentity } from '../identity/files.ts';
import { Links } from '../link/links.ts';
import { Names } from '../name/names.ts';
import { PeerHost } from '../peer/host.ts';
import { networkId, type NetworkProfile, networkProfiles } from '../record/network.ts';
import { UdpTransport } from '../rpc/transport.ts';
import { openStore } from '../store/store.ts';
import { listenOnBoth, type Listeners } from './listen.ts';
import type { NodeOptions } from './options.ts';
import { OwnContact } from './own-contact.ts';
import type { Parts } from './parts.ts';
import { providerSearch } from './provider-search.ts';

export interface Building {
  readonly stack: AsyncDisposableStack;
  readonly log: Logger;
}

export interface Core {
  readonly parts: Parts;
  readonly isServer: () => boolean;
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
  const store = stack.use(await openStore({ folder: options.data, world, log }));
  const signer = { key: identity.node, network: common.network };
  const isServerTo = (ip: Uint8Array): boolean =>
    !options.guest && (options.public || scopeOf(ip) !== 'global');
  // Requests may come in before there is a host to ask for addresses.
  let own: OwnContact | undefined;
  const contactRecord = (): Uint8Array | undefined => own?.current();
  const bound = await listenOnBoth(
    { address: options.listen, explicit: options.listenExplicit },
    {
      transport: (listen) =>
        new UdpTransport(
          {
            ...common,
            key: identity.node,
            contactRecord,
            isServer: isServerTo,
          },
          { listen },
        ),
      // Who does not listen has no address to announce, and so provides nothing.
      peers: (udp) => {
        const listen = options.guest ? [] : udp;
        return new PeerHost({ key: identity.node, listen, logger: log, world });
      },
    },
  );
  const { transport, peers }: Listeners = bound.value;
  stack.use(transport);
  stack.use(peers);
  own = new OwnContact(signer, world.clock, () => peers.addresses());
  const isServer = (askerIp?: Uint8Array): boolean =>
    askerIp ? isServerTo(askerIp) : !options.guest && (options.public || !knowsGlobalPeers(dht));
  const dht: Dht = stack.use(
    new Dht({
      ...common,
      self: () => identity.node,
      transport,
      records: store.records,
      contactRecord,
      isServer,
    }),
  );
  await dht.start();
  const base = { identity, store, transport, dht, peers, world };
  const parts = await startFields(base, { stack, common });
  return { parts, isServer, notes: bound.note === undefined ? [] : [bound.note] };
}

/** Names, links and sites, and what keeps their records alive. */
async function startFields(
  base: Omit<Parts, 'sites' | 'names' | 'links'>,
  { stack, common }: { stack: AsyncDisposableStack; common: Common },
): Promise<Parts> {
  const { identity, store, dht, peers, world } = base;
  const { network, log } = common;
  const publisher = stack.use(
    new Publisher({ dht, journal: store.journal, world, keys: identity, network, log }),
  );
  await publisher.start();
  const naming = { ...common, dht, publisher, notes: store.notes, authorKey: identity.author };
  const sites = stack.use(
    new Sites({
      ...store,
      publisher,
      search: providerSearch(dht, identity.node.publicKey),
      connections: peers,
      signer: { key: identity.node, network },
      world,
      logger: log,
    }),
  );
  await sites.start();
  return { ...base, sites, names: new Names(naming), links: new Links(naming) };
}

/**
 * Until reachability from the Internet is tested, a node serves there only when told so with
 * --public; in a loopback or private network everybody reaches everybody, so all serve.
 */
function knowsGlobalPeers(dht: Dht): boolean {
  return dht.table.contacts().some(({ endpoint }) => scopeOf(endpoint.ip) === 'global');
}
