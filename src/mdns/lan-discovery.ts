/**
 * Finds nodes of the same network in the local network, and is found there, by multicast DNS. What
 * it hears is a hint from anybody who is connected to that network: it is bounded here and proven
 * by whoever uses it. It joins nobody.
 *
 *   in:  start, wake (the network changed), timers, datagrams
 *   out: queries and announcements to 224.0.0.251:5353; `onFound`
 */
import { createSocket, type Socket } from 'node:dgram';
import { type Endpoint, formatEndpoint, parseIp } from '../base/address.ts';
import { type BucketSize, KeyedBuckets, TokenBucket } from '../base/buckets.ts';
import { type Bytes, equalBytes, toHex } from '../base/bytes.ts';
import type { CancelTimer, World } from '../base/clock.ts';
import { LruMap } from '../base/limits.ts';
import type { Logger } from '../base/logger.ts';
import { reasonOf } from '../base/reason.ts';
import { isOnLink, type LanInterface, lanInterfaces } from './interfaces.ts';
import { decodeMessage, encodeAnnouncement, encodeQuery, isWorthDecoding } from './message.ts';

/** Somebody there says that a node is there. */
export interface LanHint {
  readonly publicKey: Bytes;
  readonly endpoint: Endpoint;
}

export interface LanDiscoveryOptions {
  /** 16 bytes: nodes of other networks are not heard. */
  readonly networkId: Bytes;
  readonly publicKey: Bytes;
  /** UDP and TCP of this node. */
  readonly port: number;
  /** Whether the node listens at this address of the machine. */
  readonly listensAt: (address: string) => boolean;
  /** For tests, which share a machine; else 5353. */
  readonly groupPort?: number | undefined;
}

export interface LanDiscoveryDeps {
  readonly world: World;
  readonly log: Logger;
  readonly onFound: (hint: LanHint) => void;
  /** For tests; else those of the machine. */
  readonly interfaces?: (() => readonly LanInterface[]) | undefined;
}

const group = '224.0.0.251';
const mdnsPort = 5353;
/** Routers do not pass multicast on that has one hop left; this is what the standard sends. */
const hops = 255;
/** After the start, and then as long as the node runs. */
const queryDelaysMs = [0, 1000, 4000];
const queryEveryMs = 120_000;
/** One answer serves all who asked within this time. */
const answerPauseMs = 1000;
/** The same node is told of again after this time. */
const hintPauseMs = 60_000;
const hintsMax = 256;
/** A network of more nodes than this is learned from the first of them. */
const hintsInAll: BucketSize = { perSecond: 0.5, burst: 16 };
const hintsPerSource: BucketSize & { readonly keysMax: number } = {
  perSecond: 0.1,
  burst: 4,
  keysMax: 256,
};

/** To decode one that was made for it takes more than a millisecond. */
const packetsInAll: BucketSize = { perSecond: 50, burst: 200 };
const packetsPerSource: BucketSize & { readonly keysMax: number } = {
  perSecond: 10,
  burst: 40,
  keysMax: 256,
};

interface Line {
  readonly at: LanInterface;
  readonly socket: Socket;
}

export class LanDiscovery {
  readonly #deps: LanDiscoveryDeps;
  readonly #options: LanDiscoveryOptions;
  readonly #told: LruMap<string, number>; // BOUNDED by hintsMax
  readonly #hints: TokenBucket;
  readonly #hintsBySource: KeyedBuckets;
  readonly #packets: TokenBucket;
  readonly #packetsBySource: KeyedBuckets;
  /** BOUNDED by interfacesMax */
  #lines: readonly Line[] = [];
  #cancel: CancelTimer | undefined;
  #answeredMs = Number.NEGATIVE_INFINITY;
  #queries = 0;
  #isStopped = false;

  constructor(deps: LanDiscoveryDeps, options: LanDiscoveryOptions) {
    const { clock } = deps.world;
    this.#deps = deps;
    this.#options = options;
    this.#told = new LruMap(hintsMax);
    this.#hints = new TokenBucket(clock, hintsInAll);
    this.#hintsBySource = new KeyedBuckets(clock, hintsPerSource);
    this.#packets = new TokenBucket(clock, packetsInAll);
    this.#packetsBySource = new KeyedBuckets(clock, packetsPerSource);
  }

  /** Never fails: a machine where this cannot be done has no neighbours. */
  start(): void {
    this.wake();
  }

  /** The networks of this machine may be others: begins anew. */
  wake(): void {
    if (this.#isStopped) return;
    this.#cancel?.();
    this.#close();
    const { interfaces = lanInterfaces } = this.#deps;
    this.#lines = interfaces()
      .filter(({ address }) => this.#options.listensAt(address))
      .map((at) => ({ at, socket: this.#open(at) }));
    this.#queries = 0;
    this.#askLater();
  }

  /** Idempotent. */
  stop(): void {
    this.#isStopped = true;
    this.#cancel?.();
    this.#close();
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  #close(): void {
    for (const { socket } of this.#lines) socket.close();
    this.#lines = [];
  }

  #open(at: LanInterface): Socket {
    const socket = createSocket({ type: 'udp4', reuseAddr: true });
    socket.on('error', (error) => {
      this.#deps.log.debug('a local network cannot be asked', { why: reasonOf(error) });
    });
    socket.on('message', (bytes, { address, port }) => this.#hear(at, bytes, { address, port }));
    const { groupPort = mdnsPort } = this.#options;
    socket.bind({ port: groupPort, address: '0.0.0.0' }, () => {
      try {
        socket.addMembership(group, at.address);
        socket.setMulticastInterface(at.address);
        socket.setMulticastTTL(hops);
      } catch (error) {
        socket.emit('error', error); // an interface that went meanwhile
      }
    });
    socket.unref();
    return socket;
  }

  #askLater(): void {
    const delayMs = queryDelaysMs[this.#queries] ?? queryEveryMs;
    this.#queries++;
    this.#cancel = this.#deps.world.timers.after(delayMs, () => {
      this.#send(encodeQuery(this.#options.networkId));
      // Whoever is there already need not ask to learn of this node.
      if (this.#queries <= 2) this.#announce();
      this.#askLater();
    });
  }

  #announce(): void {
    const nowMs = this.#deps.world.clock.monotonicMs();
    if (nowMs - this.#answeredMs < answerPauseMs) return;
    this.#answeredMs = nowMs;
    this.#send(encodeAnnouncement(this.#options.networkId, this.#options));
  }

  #send(bytes: Bytes): void {
    const { groupPort = mdnsPort } = this.#options;
    // What is lost, or goes to an interface that is gone, is asked again.
    for (const { socket } of this.#lines) socket.send(bytes, groupPort, group, () => undefined);
  }

  #hear(at: LanInterface, bytes: Bytes, from: { address: string; port: number }): void {
    const { networkId, publicKey, groupPort = mdnsPort } = this.#options;
    const ip = parseIp(from.address);
    // Each socket hears all networks of the machine: this one is about its own.
    if (ip === undefined || from.port !== groupPort || !isOnLink(ip, at)) return;
    if (!isWorthDecoding(networkId, bytes)) return;
    if (!this.#packetsBySource.take(from.address) || !this.#packets.take()) return;
    const message = decodeMessage(networkId, bytes);
    if (message?.kind === 'query') this.#announce();
    if (message?.kind !== 'announcement') return;
    const { announcement } = message;
    if (equalBytes(announcement.publicKey, publicKey)) return;
    this.#tell({
      publicKey: announcement.publicKey,
      endpoint: { ip, port: announcement.port },
    });
  }

  #tell(hint: LanHint): void {
    const nowMs = this.#deps.world.clock.monotonicMs();
    const key = `${toHex(hint.publicKey)} ${formatEndpoint(hint.endpoint)}`;
    const toldMs = this.#told.get(key);
    if (toldMs !== undefined && nowMs - toldMs < hintPauseMs) return;
    const source = formatEndpoint({ ...hint.endpoint, port: 1 });
    if (!this.#hintsBySource.take(source) || !this.#hints.take()) return;
    this.#told.set(key, nowMs);
    this.#deps.onFound(hint);
  }
}
