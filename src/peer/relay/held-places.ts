/**
 * The places that a node has at relays: whether others get through there, which one goes when a
 * better one comes, and what follows when a relay is gone (docs/spec/relay.md, "Clients"). How
 * places are found and asked for it does not know.
 */
import { type Endpoint, prefixOf, scopeOf } from '../../base/address.ts';
import { type Bytes, toHex } from '../../base/bytes.ts';
import type { World } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import { formatMultiaddr } from '../address.ts';
import type { RelayedAddress } from '../peer-address.ts';
import type { LeftAlone } from './left-alone.ts';
import { PlaceCheck, type PlaceState } from './place-check.ts';
import type { Grant } from './relay-frames.ts';
import { OtherWay } from './other-way.ts';
import type { LinkEnd, RelayLink } from './relay-link.ts';

/** A place at a relay. */
export interface HeldPlace {
  readonly address: RelayedAddress;
  readonly grant: Grant;
  /** Unix milliseconds. */
  readonly sinceMs: number;
  readonly state: PlaceState;
  /** Through the same relay by the other family, if the relay says that there is such a way. */
  readonly other: Pick<OtherWay, 'address' | 'isProven'> | undefined;
}

interface Place extends Omit<HeldPlace, 'state' | 'other'> {
  readonly link: RelayLink;
  readonly check: PlaceCheck;
  readonly other: OtherWay | undefined;
  /** Since when, on the monotonic clock. */
  readonly takenMs: number;
}

export interface HeldPlacesDeps {
  readonly host: {
    useRelays(relays: readonly RelayedAddress[]): void;
    drop(publicKey: Bytes, reason: Error): void;
  };
  readonly world: World;
  readonly log: Logger;
  readonly leftAlone: LeftAlone;
  /** Whether others get through there to this node: rejects when not. */
  readonly probe: (place: RelayedAddress, signal: AbortSignal) => Promise<void>;
  /** The relays have changed. */
  readonly onChange: () => void;
  /** It turned out whether others get through one of them. */
  readonly onProven: () => void;
  /** One is gone, or of no use. */
  readonly onLoss: () => void;
}

export const placesWanted = 2;
/** In which order readers are to try them. */
const stateOrder: readonly PlaceState[] = ['working', 'unproven', 'useless'];
/** A relay that ends sooner counts as one that failed: each change is told to many. */
const steadyMs = 5 * 60_000;

export class HeldPlaces {
  readonly #deps: HeldPlacesDeps;
  /** By node key. BOUNDED by placesWanted, see hold(). */
  readonly #places = new Map<string, Place>();

  constructor(deps: HeldPlacesDeps) {
    this.#deps = deps;
  }

  get size(): number {
    return this.#places.size;
  }

  /** Whether places are missing. One that passes nothing on is kept only for want of a better. */
  get isShort(): boolean {
    const useful = [...this.#places.values()].filter(({ check }) => check.state !== 'useless');
    return useful.length < placesWanted;
  }

  has(relayKey: Bytes): boolean {
    return this.#places.has(toHex(relayKey));
  }

  /** Those that work first. */
  list(): readonly HeldPlace[] {
    return [...this.#places.values()]
      .map(({ check, ...place }) => ({ ...place, state: check.state }))
      .toSorted((a, b) => stateOrder.indexOf(a.state) - stateOrder.indexOf(b.state));
  }

  /** The ways through them: those that this node uses itself, then those of other families. */
  #ways(): readonly RelayedAddress[] {
    const others = [...this.#places.values()].flatMap(({ other }) =>
      other?.isProven === true ? [other.address] : [],
    );
    return [...this.list().map(({ address }) => address), ...others];
  }

  /** Whether a place is held in the same network: one failure would take both. */
  isNeighbour(endpoint: Endpoint): boolean {
    const network = networkOf(endpoint);
    if (network === undefined) return false;
    return this.list().some(({ address }) => networkOf(address.endpoint) === network);
  }

  /** From now on it is announced, and tested. Only while isShort. */
  hold(
    address: RelayedAddress,
    {
      link,
      grant,
      otherEndpoint,
      isNamed,
    }: Pick<Place, 'link' | 'grant'> & {
      /** Of another family, as the relay says. */
      readonly otherEndpoint?: Endpoint | undefined;
      readonly isNamed?: boolean | undefined;
    },
  ): void {
    const { world, log, probe, leftAlone } = this.#deps;
    const other =
      otherEndpoint &&
      new OtherWay(
        { endpoint: otherEndpoint, relayKey: address.relayKey },
        { world, probe, isNamed, onChange: () => this.#otherProven() },
      );
    const check = new PlaceCheck({
      world,
      log,
      probe: async (signal) => {
        await probe(address, signal);
        other?.test();
      },
      onChange: (state) => this.#proven(address, state),
    });
    // Somebody answers: that others did not may have been this node's own line.
    if (this.#places.size === 0) leftAlone.forgiveOthers(formatMultiaddr(address.endpoint));
    this.#makeRoom();
    const [sinceMs, takenMs] = [world.clock.unixMs(), world.clock.monotonicMs()];
    const name = toHex(address.relayKey);
    this.#places.set(name, { address, grant, sinceMs, takenMs, link, check, other });
    void link.ended.then((how) => this.#ended(name, link, how));
    check.start();
    log.info('reachable through a relay', { places: this.#places.size });
    this.#changed();
  }

  /** Gives all of them back. */
  async release(): Promise<void> {
    const held = [...this.#places.values()];
    this.#places.clear();
    if (held.length > 0) this.#changed();
    await Promise.allSettled(held.flatMap((place) => [stopTests(place), place.link.close()]));
  }

  /** Takes the part of one that passes nothing on. */
  #makeRoom(): void {
    if (this.#places.size < placesWanted) return;
    for (const [name, place] of this.#places) {
      if (place.check.state !== 'useless') continue;
      this.#places.delete(name);
      void stopTests(place);
      void place.link.close();
      return;
    }
  }

  #proven({ endpoint }: RelayedAddress, state: PlaceState): void {
    const { log, host, leftAlone, onProven, onLoss } = this.#deps;
    host.useRelays(this.#ways());
    onProven();
    if (state !== 'useless') return;
    log.warn('a relay passes nothing on', { places: this.#places.size });
    leftAlone.passedNothing(formatMultiaddr(endpoint));
    onLoss();
  }

  /** A link ended by itself, or was closed here. */
  #ended(name: string, link: RelayLink, how: LinkEnd): void {
    const place = this.#places.get(name);
    if (place?.link !== link) return;
    const { host, log, world, leftAlone, onLoss } = this.#deps;
    this.#places.delete(name);
    void stopTests(place);
    // The connection is as dead as the link, and whoever comes through it waits for nothing.
    if (how === 'silent') host.drop(place.address.relayKey, new Error('the relay is silent'));
    if (how !== 'closed') log.info('a relay is gone', { how, places: this.#places.size });
    leftAlone.ended(formatMultiaddr(place.address.endpoint), {
      isLeaving: how === 'leaving',
      isSteady: world.clock.monotonicMs() - place.takenMs >= steadyMs,
    });
    this.#changed();
    onLoss();
  }

  #otherProven(): void {
    this.#changed();
    this.#deps.onProven();
  }

  #changed(): void {
    this.#deps.host.useRelays(this.#ways());
    this.#deps.onChange();
  }
}

async function stopTests({ check, other }: Pick<Place, 'check' | 'other'>): Promise<void> {
  await Promise.all([check.stop(), other?.stop()]);
}

function networkOf({ ip }: Endpoint): string | undefined {
  return scopeOf(ip) === 'global' ? prefixOf(ip, 'wide') : undefined;
}
