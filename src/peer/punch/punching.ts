/**
 * Turns connections through a relay into direct ones where the NATs of both ends let it. When that
 * fails nothing is lost: what was begun through the relay goes on there, and so does what comes.
 *
 *   in:  a relayed connection opened from here; an offer from a peer
 *   out: a direct connection, which the host then prefers; counts
 */
import { publicKeyFromRaw } from '@libp2p/crypto/keys';
import { peerIdFromPublicKey } from '@libp2p/peer-id';
import { sleep } from '../../base/abort.ts';
import { type Endpoint, prefixOf, sameEndpoint } from '../../base/address.ts';
import { type BucketSize, KeyedBuckets, TokenBucket } from '../../base/buckets.ts';
import { type Bytes, toHex } from '../../base/bytes.ts';
import type { World } from '../../base/clock.ts';
import { AltNetError } from '../../base/errors.ts';
import { LruMap } from '../../base/limits.ts';
import type { Logger } from '../../base/logger.ts';
import { reasonOf } from '../../base/reason.ts';
import type { PeerConnection } from '../host.ts';
import { parsePeerAddress } from '../peer-address.ts';
import type { PeerTarget } from '../dialing.ts';
import type { ByteStream } from '../stream.ts';
import type { HandleOptions, OpenOptions, OriginHandler, StreamOrigin } from '../streams.ts';
import { type Agreement, type Answering, isPunchable, offer, respond } from './dialogue.ts';
import { punchHole } from './hole.ts';
import type { PortDialer, PunchRole } from './port-dial.ts';
import { type Observer, type OpenPort, probe } from './probe.ts';
import { punchProtocol } from './punch-frames.ts';

/** What it needs of the host. */
export interface PunchHost {
  readonly ports: PortDialer | undefined;
  connections(): readonly PeerConnection[];
  onConnection(listener: (connection: PeerConnection) => void): void;
  handle(protocol: string, handler: OriginHandler, options: HandleOptions): Promise<void>;
  openStream(
    target: PeerTarget,
    protocol: string,
    options: OpenOptions,
  ): Promise<{ readonly stream: ByteStream; readonly origin: StreamOrigin }>;
}

export interface PunchingDeps {
  readonly host: PunchHost;
  /** Nodes that others reach by TCP, the likeliest first: a second opinion beside the relay's. */
  readonly observers: () => readonly Observer[];
  readonly world: World;
  readonly log: Logger;
}

export interface PunchCounts {
  readonly attempts: number;
  readonly direct: number;
}

/** Whether the NAT in front of this node gives a port the same number for everybody. */
export type NatKind = 'unknown' | 'predictable' | 'unpredictable';

const minuteMs = 60_000;
const attemptsAtOnceMax = 8;
/** Of offers from one /24 or /48 of global addresses, and of all attempts. */
const perNetwork: BucketSize & { readonly keysMax: number } = {
  perSecond: 4 / 60,
  burst: 4,
  keysMax: 1024,
};
const inAll: BucketSize = { perSecond: 0.5, burst: 12 };
/** From the first frame to the last. */
const dialogueMs = 10_000;
/** What was found out about the own NAT is believed so long. */
const natKindMs = 10 * minuteMs;
const failurePauseMs = 5 * minuteMs;
const failuresMax = 512;

const busy = async (): Promise<Answering> => ({ decline: 'busy' });

export class Punching {
  readonly #deps: PunchingDeps;
  readonly #lifetime = new AbortController();
  readonly #underway = new Map<string, Promise<void>>(); // BOUNDED by attemptsAtOnceMax
  readonly #failedMs = new LruMap<string, number>(failuresMax); // BOUNDED by its size
  readonly #byNetwork: KeyedBuckets;
  readonly #inAll: TokenBucket;
  #nat: { readonly kind: NatKind; readonly atMs: number } = { kind: 'unknown', atMs: 0 };
  #counts: PunchCounts = { attempts: 0, direct: 0 };

  constructor(deps: PunchingDeps) {
    const { clock } = deps.world;
    this.#deps = deps;
    this.#byNetwork = new KeyedBuckets(clock, perNetwork);
    this.#inAll = new TokenBucket(clock, inAll);
  }

  async start(): Promise<void> {
    const { host } = this.#deps;
    host.onConnection((connection) => this.#onConnection(connection));
    const handler: OriginHandler = (stream, origin) => this.#onOffer(stream, origin);
    await host.handle(punchProtocol, handler, { streamsMax: 2 });
  }

  /** Resolves when nothing is under way. */
  async stop(): Promise<void> {
    if (!this.#lifetime.signal.aborted) this.#lifetime.abort(new AltNetError('ABORTED', {}));
    await Promise.all(this.#underway.values());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  counts(): PunchCounts {
    return this.#counts;
  }

  natKind(): NatKind {
    const { kind, atMs } = this.#nat;
    const isFresh = this.#deps.world.clock.monotonicMs() - atMs < natKindMs;
    return isFresh ? kind : 'unknown';
  }

  /** The network of this machine is another one: what was learned of its NAT is void. */
  wake(): void {
    this.#nat = { kind: 'unknown', atMs: 0 };
  }

  /** Who connected through a relay begins. */
  #onConnection({ isRelayed, direction, publicKey, address }: PeerConnection): void {
    if (!isRelayed || direction !== 'outbound' || !this.#takeTurn(publicKey)) return;
    void this.#attempt(publicKey, async (signal) => {
      const port = await this.#openPort(address, signal);
      if (typeof port === 'string') return;
      try {
        const target = { publicKey, addresses: [] };
        const { stream } = await this.#deps.host.openStream(target, punchProtocol, { signal });
        const agreed = await this.#inTime(stream, signal, () =>
          offer(stream, port.outside, this.#deps.world.clock),
        );
        await this.#carryOut(agreed, { port, publicKey, role: 'client', signal });
      } finally {
        port.close();
      }
    });
  }

  async #onOffer(stream: ByteStream, { address }: StreamOrigin): Promise<void> {
    const publicKey = stream.remote;
    if (parsePeerAddress(address)?.relayKey === undefined) {
      return stream.abort(new Error('there is a direct connection'));
    }
    const answering = (
      signal: AbortSignal,
      answer: (theirs: Endpoint) => Promise<Answering>,
    ): Promise<Agreement> => this.#inTime(stream, signal, () => respond(stream, answer));
    if (!this.#takeTurn(publicKey)) {
      // A peer that broke off has its answer.
      await answering(this.#lifetime.signal, busy).catch(() => undefined);
      return;
    }
    await this.#attempt(publicKey, async (signal) => {
      let port: OpenPort | undefined;
      try {
        const agreed = await answering(signal, async (theirs) => {
          const answer = await this.#answerTo(theirs, address, signal);
          port = answer.port;
          return answer;
        });
        if (port) await this.#carryOut(agreed, { port, publicKey, role: 'server', signal });
      } finally {
        port?.close();
      }
    });
  }

  async #answerTo(
    theirs: Endpoint,
    address: string,
    signal: AbortSignal,
  ): Promise<Answering & { readonly port?: OpenPort }> {
    if (!this.#byNetwork.take(prefixOf(theirs.ip, 'narrow'))) return { decline: 'busy' };
    const port = await this.#openPort(address, signal);
    if (typeof port === 'string') return { decline: 'unpredictable' };
    if (isPunchable(theirs, port.outside)) return { accept: port.outside, port };
    port.close();
    return { decline: 'unusable' };
  }

  /** Whether a peer may be tried now; then it must be. */
  #takeTurn(publicKey: Bytes): boolean {
    const key = toHex(publicKey);
    const failedMs = this.#failedMs.get(key);
    const nowMs = this.#deps.world.clock.monotonicMs();
    if (this.#lifetime.signal.aborted || this.natKind() === 'unpredictable') return false;
    if (this.#underway.has(key) || this.#underway.size >= attemptsAtOnceMax) return false;
    if (failedMs !== undefined && nowMs - failedMs < failurePauseMs) return false;
    return this.#inAll.take();
  }

  /** Never rejects. */
  async #attempt(publicKey: Bytes, run: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const key = toHex(publicKey);
    this.#counts = { ...this.#counts, attempts: this.#counts.attempts + 1 };
    const { log, world } = this.#deps;
    const work = run(this.#lifetime.signal).catch((error: unknown) => {
      log.debug('no direct connection came about', { why: reasonOf(error) });
    });
    this.#underway.set(key, work);
    await work;
    this.#underway.delete(key);
    if (this.#isDirect(publicKey)) this.#failedMs.delete(key);
    else this.#failedMs.set(key, world.clock.monotonicMs());
  }

  #isDirect(publicKey: Bytes): boolean {
    const key = toHex(publicKey);
    const all = this.#deps.host.connections();
    return all.some((each) => !each.isRelayed && toHex(each.publicKey) === key);
  }

  /** A port and where it is outside; why not, where there is none. */
  async #openPort(
    relayed: string,
    signal: AbortSignal,
  ): Promise<OpenPort | 'unpredictable' | 'failed'> {
    const { host, world, observers } = this.#deps;
    const { ports } = host;
    const via = parsePeerAddress(relayed);
    if (!ports || !via?.relayKey) return 'failed';
    const relay = { publicKey: via.relayKey, endpoint: via.endpoint };
    // Once it is known what the NAT does, one is enough to tell where.
    const others =
      this.natKind() === 'predictable'
        ? []
        : observers().filter(({ endpoint }) => !sameEndpoint(endpoint, relay.endpoint));
    const asked = [relay, ...others.slice(0, 2)];
    const result = await probe({ ports, observers: asked, world, signal });
    if (result.kind === 'failed') return 'failed';
    const atMs = world.clock.monotonicMs();
    if (result.kind === 'unpredictable') {
      this.#nat = { kind: 'unpredictable', atMs };
      return 'unpredictable';
    }
    if (result.port.isProven) this.#nat = { kind: 'predictable', atMs };
    return result.port;
  }

  async #inTime(
    stream: ByteStream,
    signal: AbortSignal,
    talk: () => Promise<Agreement>,
  ): Promise<Agreement> {
    const { timers } = this.#deps.world;
    const onAbort = (): void => stream.abort(new AltNetError('ABORTED', {}));
    const cancel = timers.after(dialogueMs, () => stream.abort(new Error('took too long')));
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      signal.throwIfAborted();
      const agreement = await talk();
      void stream.close(); // not waited for: the moment has been agreed
      return agreement;
    } catch (error) {
      stream.abort(new Error('the talk broke off'));
      throw error;
    } finally {
      cancel();
      signal.removeEventListener('abort', onAbort);
    }
  }

  async #carryOut(
    agreed: Agreement,
    how: {
      readonly port: OpenPort;
      readonly publicKey: Bytes;
      readonly role: PunchRole;
      readonly signal: AbortSignal;
    },
  ): Promise<void> {
    const { port, publicKey, role, signal } = how;
    const { host, world, log } = this.#deps;
    if (agreed.kind !== 'agreed' || !host.ports) return;
    if (agreed.waitMs > 0) await sleep(world.timers, agreed.waitMs, signal);
    const peer = peerIdFromPublicKey(publicKeyFromRaw(publicKey));
    const goal = { endpoint: agreed.endpoint, peer, localPort: port.localPort, signal };
    await punchHole(host.ports, goal, { role, world });
    this.#counts = { ...this.#counts, direct: this.#counts.direct + 1 };
    log.debug('a direct connection came about', { role });
  }
}
