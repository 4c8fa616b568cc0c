/**
 * A relay: nodes that nobody reaches take a place here, and others reach them through circuits
 * (docs/spec/relay.md). Places and circuits are limited so that no network gets all of them, and so
 * is the memory of the circuits. It cannot read what they carry, and chooses nobody.
 */
import { publicKeyFromRaw } from '@libp2p/crypto/keys';
import { peerIdFromMultihash, peerIdFromPublicKey } from '@libp2p/peer-id';
import * as Digest from 'multiformats/hashes/digest';
import { untilAborted, withDeadline } from '../../base/abort.ts';
import type { CancelTimer, World } from '../../base/clock.ts';
import { type Bytes, toHex } from '../../base/bytes.ts';
import { type Logger, silentLogger } from '../../base/logger.ts';
import { networkOf, parseMultiaddr } from '../address.ts';
import type { ByteStream } from '../stream.ts';
import type { HandleOptions, OpenOptions, OriginHandler, StreamOrigin } from '../streams.ts';
import type { PeerTarget } from '../dialing.ts';
import { Circuit, type CircuitEnd } from './circuit.ts';
import {
  type CircuitLimit,
  circuitStatus,
  decodeHopConnect,
  decodeStopStatus,
  encodeHopStatus,
  encodeStopConnect,
  hopProtocol,
  stopProtocol,
} from './circuit-frames.ts';
import { circuitsPerConnectionMax } from './circuit-transport.ts';
import { readMessage } from './messages.ts';
import { Quota, type QuotaGroup } from './quota.ts';
import { encodeRelayFrame, type Refusal, readRelayFrames, relayProtocol } from './relay-frames.ts';

export interface RelayServerOptions {
  /** Nodes that have a place. */
  readonly slotsMax: number;
  /** What one circuit may carry, each way. */
  readonly connectionBytesMax: number;
  readonly connectionMs: number;
  /** Places of one /24 or /48. Default 16. */
  readonly slotsPerNetworkMax?: number | undefined;
  /** Circuits at the same time, in all. Default: as many as places. */
  readonly circuitsMax?: number | undefined;
  /** Of them, from one network, and to one node. Default 32 each; both at once: a quarter. */
  readonly circuitsPerNetworkMax?: number | undefined;
  readonly circuitsPerPeerMax?: number | undefined;
  /** What all circuits together may hold of what waits to be sent on. Default 64 MiB. */
  readonly heldBytesMax?: number | undefined;
}

/** What a relay needs of the host. */
export interface RelayStreams {
  handle(protocol: string, handler: OriginHandler, options?: HandleOptions): Promise<void>;
  openStream(
    target: PeerTarget,
    protocol: string,
    options?: OpenOptions,
  ): Promise<{ readonly stream: ByteStream; readonly origin: StreamOrigin }>;
}

export interface RelayCounts {
  readonly reservations: number;
  readonly circuits: number;
  /** Carried since the start, of both ways. */
  readonly bytes: number;
  /** Places and circuits that were refused. */
  readonly refused: Readonly<Record<Refusal, number>>;
}

const leaseMs = 60_000;
/** To ask, and for the other node to agree. */
const connectMs = 10_000;
const sweepMs = 250;
/** How long a relay that ends waits for those whom it tells. */
const leaveMs = 1000;
/** An end that takes nothing for so long is gone, or wants to fill this node's memory. */
const blockedMsMax = 30_000;

interface Place {
  readonly stream: ByteStream;
  readonly giveBack: () => void;
}

export class RelayServer {
  readonly #streams: RelayStreams;
  readonly #world: World;
  readonly #log: Logger;
  readonly #options: Required<{
    [K in keyof RelayServerOptions]: NonNullable<RelayServerOptions[K]>;
  }>;
  readonly #placeQuota: Quota<Refusal>;
  readonly #circuitQuota: Quota<Refusal>;
  /** By node key. BOUNDED by slotsMax. */
  readonly #places = new Map<string, Place>();
  readonly #circuits = new Set<Circuit>(); // BOUNDED by circuitsMax
  readonly #refused: Record<Refusal, number> = {
    full: 0,
    network: 0,
    peer: 0,
    absent: 0,
    malformed: 0,
  };
  #endedBytes = 0;
  #cancelSweep: CancelTimer | undefined;
  #isStopped = false;

  constructor(
    { streams, world, log = silentLogger }: { streams: RelayStreams; world: World; log?: Logger },
    options: RelayServerOptions,
  ) {
    this.#streams = streams;
    this.#world = world;
    this.#log = log;
    this.#options = {
      slotsMax: options.slotsMax,
      connectionBytesMax: options.connectionBytesMax,
      connectionMs: options.connectionMs,
      slotsPerNetworkMax: options.slotsPerNetworkMax ?? 16,
      circuitsMax: options.circuitsMax ?? options.slotsMax,
      circuitsPerNetworkMax: options.circuitsPerNetworkMax ?? 32,
      circuitsPerPeerMax: options.circuitsPerPeerMax ?? 32,
      heldBytesMax: options.heldBytesMax ?? 64 * 1024 * 1024,
    };
    this.#placeQuota = new Quota<Refusal>(this.#options.slotsMax, 'full');
    this.#circuitQuota = new Quota<Refusal>(this.#options.circuitsMax, 'full');
  }

  async start(): Promise<void> {
    await this.#streams.handle(relayProtocol, (stream, origin) => this.#onLink(stream, origin), {
      direct: true,
    });
    await this.#streams.handle(hopProtocol, (stream, origin) => this.#onHop(stream, origin), {
      direct: true,
      streamsMax: circuitsPerConnectionMax,
    });
  }

  /** Tells those that have a place that this relay ends. */
  async stop(): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#cancelSweep?.();
    const leaving = encodeRelayFrame({ type: 'leaving' });
    const places = [...this.#places.values()];
    // Whoever does not take it notices anyway.
    const told = Promise.allSettled(places.map(({ stream }) => stream.write(leaving)));
    const limit = { timers: this.#world.timers, ms: leaveMs, what: 'leaving' };
    await withDeadline(limit, (late) => untilAborted(told, late)).catch(() => undefined);
    for (const circuit of this.#circuits) circuit.abort(new Error('the relay ends'));
  }

  counts(): RelayCounts {
    const running = [...this.#circuits].reduce((sum, { bytes }) => sum + bytes, 0);
    return {
      reservations: this.#places.size,
      circuits: this.#circuits.size,
      bytes: this.#endedBytes + running,
      refused: { ...this.#refused },
    };
  }

  #refuse(reason: Refusal): Refusal {
    this.#refused[reason]++;
    return reason;
  }

  /** A stream on which a node has a place, or only asks whether this relay is there. */
  async #onLink(stream: ByteStream, { address }: StreamOrigin): Promise<void> {
    const key = toHex(stream.remote);
    let place: Place | undefined;
    let lease = this.#lease(stream);
    try {
      for await (const frame of readRelayFrames(stream.read)) {
        lease();
        lease = this.#lease(stream);
        if (frame?.type === 'ping') {
          await stream.write(encodeRelayFrame({ type: 'pong' }));
        } else if (frame?.type === 'reserve') {
          const given = place ?? this.#place(stream, address);
          if (typeof given !== 'string') place = given;
          await stream.write(
            typeof given === 'string'
              ? encodeRelayFrame({ type: 'refused', reason: given })
              : this.#grant(address),
          );
        } else {
          this.#refuse('malformed');
          return stream.abort(new Error('not a frame of a client'));
        }
      }
      await stream.close();
    } catch {
      // It is gone, in order or not: so is its place.
      stream.abort(new Error('the link broke'));
    } finally {
      lease();
      place?.giveBack();
      if (this.#places.get(key) === place) this.#places.delete(key);
    }
  }

  /** A newer link ends an older one, and takes over its place where its own network has one. */
  #place(stream: ByteStream, address: string): Place | Refusal {
    const key = toHex(stream.remote);
    const before = this.#places.get(key);
    this.#places.delete(key);
    before?.giveBack();
    before?.stream.abort(new Error('there is a newer link'));
    const network = networkOf(address);
    const { slotsPerNetworkMax: max } = this.#options;
    const groups: QuotaGroup<Refusal>[] =
      network === undefined ? [] : [{ name: network, max, refusal: 'network' }];
    const taken = this.#isStopped ? 'full' : this.#placeQuota.take(groups);
    if (typeof taken === 'string') return this.#refuse(taken);
    const place: Place = { stream, giveBack: taken };
    this.#places.set(key, place);
    return place;
  }

  #grant(address: string): Bytes {
    const { connectionBytesMax, connectionMs } = this.#options;
    return encodeRelayFrame({
      type: 'granted',
      grant: {
        leaseSeconds: leaseMs / 1000,
        circuitBytesMax: connectionBytesMax,
        circuitSeconds: Math.ceil(connectionMs / 1000),
        observed: parseMultiaddr(address),
      },
    });
  }

  #lease(stream: ByteStream): CancelTimer {
    return this.#world.timers.after(leaseMs, () => stream.abort(new Error('silent for too long')));
  }

  /** Somebody wants a circuit. */
  async #onHop(stream: ByteStream, origin: StreamOrigin): Promise<void> {
    const cancel = this.#world.timers.after(connectMs, () =>
      stream.abort(new Error('no circuit in time')),
    );
    let give: (() => void) | undefined;
    try {
      const asked = await readMessage(stream.read);
      const peer = asked && keyOf(decodeHopConnect(asked.message));
      if (!asked || !peer) return await this.#deny(stream, 'malformed');
      if (!this.#places.has(toHex(peer))) return await this.#deny(stream, 'absent');
      const taken = this.#takeCircuit(peer, origin.address);
      if (typeof taken === 'string') return await this.#deny(stream, taken);
      give = taken;
      const other = await this.#offer(peer, stream.remote);
      if (!other) return await this.#deny(stream, 'absent');
      await stream.write(encodeHopStatus(circuitStatus.ok, this.#limit));
      cancel();
      const end: CircuitEnd = { stream, heldBytes: origin.heldBytes, early: asked.rest };
      await this.#run(new Circuit([end, other], () => this.#world.clock.monotonicMs()));
    } catch {
      // The peer, or the way to it, broke.
      stream.abort(new Error('no circuit'));
    } finally {
      cancel();
      give?.();
    }
  }

  #takeCircuit(peer: Bytes, from: string): (() => void) | Refusal {
    const { circuitsPerNetworkMax, circuitsPerPeerMax } = this.#options;
    const network = networkOf(from);
    const name = `to ${toHex(peer)}`;
    const to = { name, max: circuitsPerPeerMax, refusal: 'peer' } as const;
    if (network === undefined) return this.#circuitQuota.take([to]);
    const by = { name: `by ${network}`, max: circuitsPerNetworkMax, refusal: 'network' } as const;
    // Otherwise one machine could hold all circuits to a node, so that nobody else reaches it.
    const share = { ...by, name: `${name} ${by.name}`, max: Math.ceil(circuitsPerPeerMax / 4) };
    return this.#circuitQuota.take([share, to, by]);
  }

  async #deny(stream: ByteStream, reason: Refusal): Promise<void> {
    this.#refuse(reason);
    await stream.write(encodeHopStatus(statusOf(reason)));
    await stream.close();
  }

  /** The other end, when it agrees. */
  async #offer(peer: Bytes, from: Bytes): Promise<CircuitEnd | undefined> {
    const { stream, origin } = await this.#streams.openStream(
      { publicKey: peer, addresses: [] },
      stopProtocol,
      { direct: true, streamsMax: circuitsPerConnectionMax, unreadBytesMax: 64 * 1024 },
    );
    const cancel = this.#world.timers.after(connectMs, () => stream.abort(new Error('no answer')));
    try {
      const id = peerIdFromPublicKey(publicKeyFromRaw(from)).toMultihash().bytes;
      await stream.write(encodeStopConnect(id, this.#limit));
      const answer = await readMessage(stream.read);
      if (answer && decodeStopStatus(answer.message) === circuitStatus.ok) {
        return { stream, heldBytes: origin.heldBytes, early: answer.rest };
      }
      stream.abort(new Error('the circuit was refused'));
      return undefined;
    } finally {
      cancel();
    }
  }

  get #limit(): CircuitLimit {
    const { connectionBytesMax: bytes, connectionMs } = this.#options;
    // libp2p's own relay writes milliseconds here, where every reader takes seconds.
    return { bytes, seconds: Math.ceil(connectionMs / 1000) };
  }

  async #run(circuit: Circuit): Promise<void> {
    const { connectionBytesMax: bytesMax, connectionMs: durationMs } = this.#options;
    this.#circuits.add(circuit);
    if (!this.#cancelSweep) this.#sweepLater();
    try {
      await circuit.run({ bytesMax, durationMs }, this.#world.timers);
    } finally {
      this.#circuits.delete(circuit);
      this.#endedBytes += circuit.bytes;
    }
  }

  #sweepLater(): void {
    this.#cancelSweep = this.#world.timers.after(sweepMs, () => {
      this.#cancelSweep = undefined;
      this.#sweep();
      if (!this.#isStopped && this.#circuits.size > 0) this.#sweepLater();
    });
  }

  /** Ends circuits of which nothing is taken, and those that hold most while all hold too much. */
  #sweep(): void {
    let held = 0;
    for (const circuit of this.#circuits) {
      if (circuit.blockedMs() > blockedMsMax) circuit.abort(new Error('its end takes nothing'));
      held += circuit.heldBytes;
    }
    if (held <= this.#options.heldBytesMax) return;
    const largest = [...this.#circuits].toSorted((a, b) => b.heldBytes - a.heldBytes);
    for (const circuit of largest) {
      if (held <= this.#options.heldBytesMax) return;
      held -= circuit.heldBytes;
      this.#log.debug('a circuit held too much', { bytes: circuit.heldBytes });
      circuit.abort(new Error('it held too much memory'));
    }
  }
}

function statusOf(reason: Refusal): number {
  if (reason === 'absent') return circuitStatus.noReservation;
  if (reason === 'malformed') return circuitStatus.malformedMessage;
  return circuitStatus.resourceLimitExceeded;
}

/** The Ed25519 key that a peer ID holds; undefined for any other. */
function keyOf(multihash: Bytes | undefined): Bytes | undefined {
  if (!multihash) return undefined;
  try {
    const peer = peerIdFromMultihash(Digest.decode(multihash));
    return peer.type === 'Ed25519' ? peer.publicKey.raw : undefined;
  } catch {
    return undefined; // no peer ID
  }
}
