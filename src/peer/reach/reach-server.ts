/**
 * Serves `/altnet/reach/1`: tells peers from where they come, and connects back to them, there and
 * nowhere else, so that they learn whether others can. Each costs us little, and gets little.
 */
import { peerIdFromPublicKey } from '@libp2p/peer-id';
import { publicKeyFromRaw } from '@libp2p/crypto/keys';
import { sleep } from '../../base/abort.ts';
import { type Endpoint, prefixOf, scopeOf } from '../../base/address.ts';
import { type BucketSize, KeyedBuckets, TokenBucket } from '../../base/buckets.ts';
import type { Bytes } from '../../base/bytes.ts';
import type { World } from '../../base/clock.ts';
import { parseMultiaddr } from '../address.ts';
import type { PortDialer } from '../punch/port-dial.ts';
import type { ByteStream } from '../stream.ts';
import type { HandleOptions, OriginHandler, StreamOrigin } from '../streams.ts';
import { Pieces } from './pieces.ts';
import {
  decodeQuestion,
  type DialResult,
  encodeAnswer,
  type ReachAnswer,
  reachProtocol,
  reachQuestionBytes,
} from './reach-frames.ts';

/** A node asks when its router changed, and once in a while. */
const dialsPerSource: BucketSize & { readonly keysMax: number } = {
  perSecond: 1 / 15,
  burst: 4,
  keysMax: 1024,
};
const dialsInAll: BucketSize = { perSecond: 2, burst: 20 };
const questionMs = 5000;
const dialMs = 5000;
/** Below are the ports of other services. */
const portMin = 1024;
const streamsMax = 4;

export interface ReachServerDeps {
  readonly streams: {
    handle(protocol: string, handler: OriginHandler, options: HandleOptions): Promise<void>;
  };
  readonly ports: () => PortDialer | undefined;
  readonly world: World;
  /** For tests, which have loopback only; else global addresses. */
  readonly mayDial?: ((endpoint: Endpoint) => boolean) | undefined;
}

export class ReachServer {
  readonly #deps: ReachServerDeps;
  readonly #bySource: KeyedBuckets;
  readonly #inAll: TokenBucket;

  constructor(deps: ReachServerDeps) {
    const { clock } = deps.world;
    this.#deps = deps;
    this.#bySource = new KeyedBuckets(clock, dialsPerSource);
    this.#inAll = new TokenBucket(clock, dialsInAll);
  }

  /** Serves as long as the host does. */
  async start(): Promise<void> {
    const handler: OriginHandler = (stream, origin) => this.#serve(stream, origin);
    // What comes through a relay is seen at the relay's address, which tells nobody anything.
    await this.#deps.streams.handle(reachProtocol, handler, { direct: true, streamsMax });
  }

  async #serve(stream: ByteStream, { address }: StreamOrigin): Promise<void> {
    const endpoint = parseMultiaddr(address);
    const { timers } = this.#deps.world;
    const cancel = timers.after(questionMs, () => stream.abort(new Error('no question came')));
    const bytes = await new Pieces(stream.read, reachQuestionBytes).next().catch(() => undefined);
    cancel();
    const question = bytes && decodeQuestion(bytes);
    if (!question || !endpoint) return stream.abort(new Error('no question'));
    const answer: ReachAnswer =
      question.type === 'seen'
        ? { type: 'seenAt', endpoint }
        : {
            type: 'dialled',
            result: await this.#dialBack(stream.remote, { ip: endpoint.ip, port: question.port }),
          };
    // A peer that went does not read it.
    await stream.write(encodeAnswer(answer)).catch(() => undefined);
    await stream.close();
  }

  async #dialBack(publicKey: Bytes, endpoint: Endpoint): Promise<DialResult> {
    const { mayDial = isDialable, ports } = this.#deps;
    const dialer = ports();
    const source = prefixOf(endpoint.ip, 'narrow');
    if (!dialer || !mayDial(endpoint)) return 'refused';
    if (!this.#bySource.take(source) || !this.#inAll.take()) return 'refused';
    const late = new AbortController();
    const peer = peerIdFromPublicKey(publicKeyFromRaw(publicKey));
    const ended = new AbortController();
    try {
      const line = dialer.line({ endpoint, peer, signal: late.signal });
      const limit = sleep(this.#deps.world.timers, dialMs, ended.signal).then(() => undefined);
      const reached = await Promise.race([line, limit]);
      line.then(
        (open) => open.close(),
        () => undefined,
      );
      return reached ? 'reached' : 'unreached';
    } catch {
      return 'unreached';
    } finally {
      late.abort();
      ended.abort();
    }
  }
}

function isDialable({ ip, port }: Endpoint): boolean {
  return scopeOf(ip) === 'global' && port >= portMin;
}
