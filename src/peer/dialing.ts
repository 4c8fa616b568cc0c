/**
 * Finds a way to a peer: the addresses of its own one after the other, and beside them its relays.
 * It keeps to the dial budget, and compares the key that it reached with the one that was wanted.
 * What is said on the connection is nothing to it.
 */
import { publicKeyFromRaw } from '@libp2p/crypto/keys';
import type { Connection, Libp2p, PeerId } from '@libp2p/interface';
import { peerIdFromPublicKey } from '@libp2p/peer-id';
import { multiaddr } from '@multiformats/multiaddr';
import { withDeadline } from '../base/abort.ts';
import { type Endpoint, formatEndpoint } from '../base/address.ts';
import type { Bytes } from '../base/bytes.ts';
import type { Timers } from '../base/clock.ts';
import { AltNetError } from '../base/errors.ts';
import { formatMultiaddr } from './address.ts';
import { type DialBudget, DialPutOff } from './dial-budget.ts';
import { parsePeerAddress, type PeerAddress, peerAddressKey } from './peer-address.ts';
import { type Attempt, race } from './race.ts';
import type { CircuitDial } from './relay/circuit-transport.ts';

/** Whom to connect to. Any other key at the addresses is refused. */
export interface PeerTarget {
  /** Ed25519 node key, 32 bytes. */
  readonly publicKey: Bytes;
  /**
   * Multiaddrs, direct and through relays; what is neither is ignored, and so is what comes after
   * the first 8, or after the first 4 relays.
   */
  readonly addresses: readonly string[];
}

export const dialMs = 10_000;
export const addressDialMs = 3000;
export const addressesMax = 8;
const relaysMax = 4;
/** So much sooner a direct way is begun than a relay, and one relay than the next. */
const staggerMs = 250;
/** To a relay, and from there to the peer. */
const relayedDialMs = 6000;

export interface DialerParts {
  readonly libp2p: Libp2p;
  readonly budget: DialBudget;
  readonly timers: Timers;
  /** Asks a relay, to which there is a connection, for one to a peer. */
  readonly circuit: CircuitDial;
  /** Where the peer was met in this machine's own network. */
  readonly nearby: (publicKey: Bytes) => Endpoint | undefined;
  /** A connection to this relay is about to be used, or one that leads through it. */
  readonly onRelay: (publicKey: Bytes) => void;
}

export interface DialGoal {
  readonly target: PeerTarget;
  /** The peer, in a message. */
  readonly what: string;
  /** Not through a relay. */
  readonly direct?: boolean | undefined;
  readonly signal: AbortSignal;
}

/** What could not be dialled yet; filled while a goal is pursued. */
type PutOffs = number[];

export class PeerDialer {
  readonly #parts: DialerParts;

  constructor(parts: DialerParts) {
    this.#parts = parts;
  }

  /** An open connection, a direct one if there is any; a new one otherwise. */
  async connect({ target, what, signal, direct: isDirect }: DialGoal): Promise<Connection> {
    const peer = parsePeer(target.publicKey, what);
    const known = this.open(peer, isDirect);
    if (known) {
      const relayKey = relayOf(known);
      if (relayKey) this.#parts.onRelay(relayKey);
      return known;
    }
    // Who names no address wants the connection that there is, or none.
    const near = target.addresses.length > 0 ? this.#parts.nearby(target.publicKey) : undefined;
    const first = near ? [formatMultiaddr(near)] : [];
    const { direct, relayed } = waysTo([...first, ...target.addresses], isDirect);
    const putOffs: PutOffs = []; // BOUNDED by addressesMax
    const attempts: Attempt<Connection>[] = relayed.map(
      (way) => (own) => this.#dialRelayed(way, { peer, what, signal: own, putOffs }),
    );
    if (direct.length > 0) {
      attempts.unshift((own) =>
        this.#dialInTurn(direct, { peer, key: target.publicKey, what, signal: own, putOffs }),
      );
    }
    if (attempts.length === 0) {
      throw new AltNetError('UNREACHABLE', { what, why: 'no usable address is known' });
    }
    try {
      return await race(attempts, { timers: this.#parts.timers, staggerMs, signal });
    } catch (error) {
      if (putOffs.length === 0 || signal.aborted) throw error;
      const cause = new DialPutOff(Math.min(...putOffs), error);
      throw new AltNetError('UNREACHABLE', { what, why: cause.message }, { cause });
    }
  }

  /** A connection that stands; one through a relay only if there is no other, and it will do. */
  open(peer: PeerId, isDirect = false): Connection | undefined {
    const all = this.#parts.libp2p.getConnections(peer).filter(({ status }) => status === 'open');
    const direct = all.find(({ limits }) => limits === undefined);
    return direct ?? (isDirect ? undefined : all[0]);
  }

  async #dialRelayed(
    { endpoint, relayKey }: RelayedWay,
    { peer, what, signal, putOffs }: RelayedPlan,
  ): Promise<Connection> {
    const relay = parsePeer(relayKey, what);
    const { circuit, onRelay } = this.#parts;
    const limits = {
      timers: this.#parts.timers,
      ms: relayedDialMs,
      what: `a relay of ${what}`,
      signal,
    };
    return withDeadline(limits, async (inTime) => {
      const open = this.open(relay, true);
      const plan = { peer: relay, key: relayKey, what: `the relay of ${what}`, putOffs };
      const toRelay = open ?? (await this.#dialInTurn([endpoint], { ...plan, signal: inTime }));
      onRelay(relayKey);
      const connection = await circuit({ relay: toRelay, peer, signal: inTime });
      if (connection.remotePeer.equals(peer)) return connection;
      const have = connection.remotePeer.toString();
      connection.abort(new Error('another peer than the relay was asked for'));
      const address = formatEndpoint(endpoint);
      throw new AltNetError('WRONG_PEER', { address, want: what, have });
    });
  }

  /**
   * Tries one address after the other. The key is compared here, as libp2p does not say why a
   * handshake failed, and a stale address that now belongs to another node must not end the search.
   */
  async #dialInTurn(endpoints: readonly Endpoint[], plan: TurnPlan): Promise<Connection> {
    const { peer, key, what, signal, putOffs } = plan;
    const { libp2p, budget } = this.#parts;
    const failures: unknown[] = [];
    for (const endpoint of endpoints) {
      signal.throwIfAborted();
      const waitMs = budget.take(endpoint, key);
      if (waitMs > 0) {
        putOffs.push(waitMs);
        continue;
      }
      try {
        const limit = AbortSignal.any([signal, AbortSignal.timeout(addressDialMs)]);
        const to = multiaddr(formatMultiaddr(endpoint));
        const connection = await libp2p.dial(to, { signal: limit });
        const isPeer = connection.remotePeer.equals(peer);
        budget.settle(endpoint, key, isPeer);
        if (isPeer) return connection;
        // Not closed: libp2p may have given one that others work with, as it knows addresses, not
        // keys. Otherwise whoever names the address of a peer could end all that it sends. If
        // nobody uses it, it is idle.
        const [address, have] = [formatEndpoint(endpoint), connection.remotePeer.toString()];
        failures.push(new AltNetError('WRONG_PEER', { address, want: what, have }));
      } catch (error) {
        if (!signal.aborted) budget.settle(endpoint, key, false);
        failures.push(error);
      }
    }
    throw failures.length === 1 ? failures[0] : new AggregateError(failures);
  }
}

interface RelayedWay {
  readonly endpoint: Endpoint;
  readonly relayKey: Bytes;
}

interface RelayedPlan {
  readonly peer: PeerId;
  readonly what: string;
  readonly signal: AbortSignal;
  readonly putOffs: PutOffs;
}

interface TurnPlan extends RelayedPlan {
  /** The key of `peer`. */
  readonly key: Bytes;
}

/** Each way once, in the order of the addresses. */
function waysTo(
  addresses: readonly string[],
  isDirect = false,
): {
  readonly direct: readonly Endpoint[];
  readonly relayed: readonly RelayedWay[];
} {
  const ways = new Map<string, PeerAddress>(); // BOUNDED by addressesMax
  for (const text of addresses) {
    const way = parsePeerAddress(text);
    if (way && ways.size < addressesMax) ways.set(peerAddressKey(way), way);
  }
  const all = [...ways.values()];
  return {
    direct: all.flatMap(({ endpoint, relayKey }) => (relayKey ? [] : [endpoint])),
    relayed: all
      .flatMap(({ endpoint, relayKey }) => (relayKey ? [{ endpoint, relayKey }] : []))
      .slice(0, isDirect ? 0 : relaysMax),
  };
}

/** The key of the relay that a connection leads through, if it does. */
function relayOf({ limits, remoteAddr }: Connection): Bytes | undefined {
  if (limits === undefined) return undefined;
  return parsePeerAddress(remoteAddr.toString().replace(/(\/p2p-circuit)\/.*$/, '$1'))?.relayKey;
}

function parsePeer(publicKey: Bytes, what: string): PeerId {
  try {
    const key = publicKeyFromRaw(publicKey);
    if (key.type === 'Ed25519') return peerIdFromPublicKey(key);
  } catch {
    // Not a key at all: said below.
  }
  throw new AltNetError('UNREACHABLE', { what, why: 'it has no valid node key' });
}
