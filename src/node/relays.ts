/**
 * The relays of a node: the one that it is, if its operator wants that, those through which others
 * reach it, and those through which it reaches others. Wires src/peer/relay to the DHT, the notes
 * and the options; the rules are there.
 */
import { networkInterfaces } from 'node:os';
import { type HostPort, parseHostPort, parseIp, scopeOf } from '../base/address.ts';
import { toHex } from '../base/bytes.ts';
import type { World } from '../base/clock.ts';
import { AltNetError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { reasonOf } from '../base/reason.ts';
import type { Dht } from '../dht/dht.ts';
import type { Mode } from '../dht/mode/mode.ts';
import type { SigningKey } from '../identity/key.ts';
import type { PeerHost } from '../peer/host.ts';
import { peerIdText, type RelayedAddress } from '../peer/peer-address.ts';
import type { HeldPlace } from '../peer/relay/held-places.ts';
import { PlaceProbe } from '../peer/relay/place-probe.ts';
import { type RelayCandidate, RelayClient } from '../peer/relay/relay-client.ts';
import { type RelayCounts, RelayServer } from '../peer/relay/relay-server.ts';
import { RelayWatch } from '../peer/relay/relay-watch.ts';
import type { NoteStore } from '../store/notes.ts';
import { type BootstrapAddress, endpointsOf, parseBootstrapAddress } from './bootstrap.ts';
import type { NodeOptions, RelayOptions } from './options.ts';
import { providerSearch } from './provider-search.ts';
import { announceRelay, findRelays, shuffled } from './relay-directory.ts';
import { rememberedRelays, rememberRelays } from './relay-memory.ts';
import { RelayNeed } from './relay-need.ts';

export interface RelaysDeps {
  readonly peers: PeerHost;
  readonly dht: Dht;
  readonly mode: Pick<Mode, 'isServer'>;
  readonly notes: NoteStore;
  readonly key: SigningKey;
  readonly network: Uint8Array;
  readonly world: World;
  readonly log: Logger;
}

/** Of a node that is no relay. */
const hostConnectionsMax = 256;

/** A relay through which others reach this node. */
export interface RelayInUse extends HeldPlace {
  /** Connections through it at this moment, and what they have carried. */
  readonly connections: number;
  readonly bytes: number;
}

export class Relays {
  readonly #deps: RelaysDeps;
  readonly #options: Pick<NodeOptions, 'relay' | 'public' | 'guest'>;
  readonly #server: RelayServer | undefined;
  readonly #client: RelayClient | undefined;
  readonly #probe: PlaceProbe;
  readonly #watch: RelayWatch;
  /** BOUNDED by the parts of a node. */
  readonly #listeners = new Set<() => void>();
  readonly #stopping = new AbortController();
  readonly #configured: readonly BootstrapAddress[];
  #working: Promise<void> | undefined;

  /** Throws BAD_ADDRESS. */
  constructor(deps: RelaysDeps, options: Pick<NodeOptions, 'relay' | 'public' | 'guest'>) {
    this.#deps = deps;
    this.#options = options;
    const { peers, world, log } = deps;
    const { relay, guest } = options;
    this.#configured = relay.via.map(parseBootstrapAddress);
    this.#watch = new RelayWatch(peers, world);
    this.#server =
      relay.listen === undefined || guest
        ? undefined
        : new RelayServer({ streams: peers, world, log }, relay);
    this.#probe = new PlaceProbe(peers, deps.key.publicKey, world);
    this.#client = this.#mayNeedRelays()
      ? new RelayClient({
          host: peers,
          world,
          log,
          self: deps.key.publicKey,
          isNeeded: this.#need(),
          candidates: (signal) => this.#candidates(signal),
          probe: this.#probe.run,
          onChange: () => {
            for (const listener of this.#listeners) listener();
          },
          onProven: () => void this.#remember(),
        })
      : undefined;
  }

  async start(): Promise<void> {
    const { dht, key, network, peers, world, log } = this.#deps;
    this.#watch.start();
    if (this.#client) await this.#probe.start();
    this.#client?.start();
    if (!this.#server) return;
    await this.#server.start();
    const signer = { key, network };
    const relay = { dht, signer, addresses: () => peers.addresses(), world, log };
    this.#working ??= announceRelay(relay, this.#stopping.signal);
  }

  async stop(): Promise<void> {
    if (!this.#stopping.signal.aborted) this.#stopping.abort(new AltNetError('ABORTED', {}));
    await Promise.all([
      this.#client?.stop(),
      this.#watch.stop(),
      this.#server?.stop(),
      this.#working,
    ]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** Called whenever this node is reached through other relays than before. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** The network may be another one. */
  wake(): void {
    this.#client?.wake();
  }

  /** Whether others need a relay to reach this node, whatever it has. */
  get areNeeded(): boolean {
    return this.#client?.isNeeded ?? false;
  }

  /** What this node does as a relay; undefined when it is none. */
  served(): RelayCounts | undefined {
    return this.#server?.counts();
  }

  used(): readonly RelayInUse[] {
    const relayed = this.#deps.peers.connections().filter(({ isRelayed }) => isRelayed);
    return (this.#client?.places() ?? []).map((place) => {
      const way = `/p2p/${peerIdText(place.address.relayKey)}/p2p-circuit`;
      const through = relayed.filter(({ address }) => address.includes(way));
      const { circuitBytesMax: max } = place.grant;
      const bytes = through.reduce((sum, { bytesLeft }) => sum + max - bytesLeft, 0);
      return { ...place, connections: through.length, bytes: Math.max(0, bytes) };
    });
  }

  /** Only those that were shown to work. Never rejects. */
  async #remember(): Promise<void> {
    const { notes, log } = this.#deps;
    const places = this.#client?.places() ?? [];
    const those = (wanted: HeldPlace['state']): RelayedAddress[] =>
      places.flatMap(({ state, address, other }) => {
        const more = other?.isProven === true ? [other.address] : [];
        return state === wanted ? [address, ...more] : [];
      });
    try {
      await rememberRelays(notes, { working: those('working'), useless: those('useless') });
    } catch (error) {
      log.warn('relays could not be remembered', { why: reasonOf(error) });
    }
  }

  /** Who runs for one command is found by nobody, and a relay is reached by definition. */
  #mayNeedRelays(): boolean {
    const { relay, public: isPublic, guest } = this.#options;
    if (guest || relay.listen !== undefined) return false;
    return relay.via.length > 0 || (relay.search && !isPublic);
  }

  #need(): () => boolean {
    const { dht, mode, world } = this.#deps;
    if (this.#configured.length > 0) return () => true;
    const need = new RelayNeed({
      contacts: () => dht.table.contacts(),
      isReachable: () => mode.isServer(),
      hasGlobalAddress,
      monotonicMs: () => world.clock.monotonicMs(),
    });
    return need.isNeeded;
  }

  async *#candidates(signal: AbortSignal): AsyncGenerator<RelayCandidate, void, undefined> {
    const { dht, key, notes, world } = this.#deps;
    if (this.#configured.length > 0) {
      for (const address of this.#configured) yield* this.#at(address, signal);
      return;
    }
    const known = shuffled(rememberedRelays(notes), world.random);
    yield* known;
    const names = new Set(known.map(({ publicKey }) => publicKey && toHex(publicKey)));
    const search = providerSearch(dht, key.publicKey);
    for await (const found of findRelays({ search, self: key.publicKey, world }, { signal })) {
      if (!found.publicKey || !names.has(toHex(found.publicKey))) yield found;
    }
  }

  /** Host names are looked up by this node, and only those that its user wrote. */
  async *#at(
    address: BootstrapAddress,
    signal: AbortSignal,
  ): AsyncGenerator<RelayCandidate, void, undefined> {
    const { world, log } = this.#deps;
    const { nodeId } = address;
    try {
      const [endpoint, ...others] = await endpointsOf(address, { world, signal });
      if (endpoint) yield { endpoint, nodeId, others, isNamed: true };
    } catch (error) {
      if (!signal.aborted) log.warn('a relay has no address', { why: reasonOf(error) });
    }
  }
}

/** Where the host listens: at the address of its relay as well, unless it does so anyway. */
export function listenForRelay(
  listen: readonly HostPort[],
  { listen: text }: Pick<RelayOptions, 'listen'>,
): readonly HostPort[] {
  const at = text === undefined ? undefined : parseHostPort(text);
  // Port 0: whichever is free, so that of the node is as good.
  if (!at || at.port === 0 || listen.some(({ port }) => port === at.port)) return listen;
  return [...listen, { ...at, host: at.host === 'localhost' ? '127.0.0.1' : at.host }];
}

/** Where a node is a relay that listens there itself; undefined when it is none. */
export function relayAddressOf(
  { listen: text }: Pick<RelayOptions, 'listen'>,
  own: string,
): string | undefined {
  const at = text === undefined ? undefined : parseHostPort(text);
  const isOwn = at && (at.port === 0 || at.port === parseHostPort(own)?.port);
  return isOwn ? own : text;
}

/** Who has a place holds a connection, and so does who comes for it. */
export function connectionsOf({ listen, slotsMax }: RelayOptions): number {
  return hostConnectionsMax + (listen === undefined ? 0 : 2 * slotsMax);
}

function hasGlobalAddress(): boolean {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .some(({ address }) => {
      const ip = parseIp(address);
      return ip !== undefined && scopeOf(ip) === 'global';
    });
}
