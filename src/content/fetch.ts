/**
 * Brings what is missing of a want from peers, one provider after the other, until nothing is
 * missing. What was verified stays, whatever becomes of the provider that sent it.
 */
import { type Bytes, toHex } from '../base/bytes.ts';
import type { World } from '../base/clock.ts';
import { AltNetError } from '../base/errors.ts';
import { LruMap } from '../base/limits.ts';
import type { Logger } from '../base/logger.ts';
import { BlockWriter } from './block-writer.ts';
import type { PaceOptions } from './pace.ts';
import type { Holding } from './ports.ts';
import {
  candidatesMax,
  type OpenProvider,
  type ProviderContact,
  ProviderDialer,
  type ProviderSources,
} from './providers.ts';
import { hashKey, type Link } from './root.ts';
import type { SilenceOptions } from './silence.ts';
import { Slabs } from './slabs.ts';
import { syncWants, type SyncResult } from './sync-client.ts';
import type { Want } from './walk.ts';

export interface FetchJob {
  /** Whose providers are asked. */
  readonly root: Link;
  /** What is still to be fetched, looked up anew each time it is called. */
  readonly missing: () => AsyncGenerator<Want, void, undefined>;
  /** Opened once something is missing; what is fetched is written into it, and it is closed. */
  readonly into: () => Promise<Holding>;
  /** Asked before anybody else, also by way of a connection that it opened. */
  readonly known?: ProviderContact | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called when blocks have become readable. */
  readonly onStored?: () => void;
  readonly onProgress?: ((got: { bytes: number; peers: number }) => void) | undefined;
}

interface OpenJob extends FetchJob {
  readonly holding: Holding;
}

export interface Fetched {
  readonly blocks: number;
  readonly bytes: number;
  /** Peers that sent something. */
  readonly peers: number;
}

export interface FetcherOptions {
  /** Providers that are tried for one job: as many as are looked at when left out. */
  readonly triesMax?: number;
  /** Bytes that one job may bring. */
  readonly bytesMax?: number;
  readonly pace?: PaceOptions | undefined;
  readonly silence?: SilenceOptions | undefined;
}

/**
 * Providers that gave something and then broke off, to which one job returns when nobody else is
 * to be had: one of them may be the only one to have the rest.
 */
const returnsMax = 4;

export class Fetcher {
  readonly #sources: ProviderSources;
  readonly #options: FetcherOptions;
  readonly #world: World;
  readonly #log: Logger;
  /** Who served a root last, by its hash: asked before the DHT is. BOUNDED by its size. */
  readonly #served = new LruMap<string, ProviderContact>(1024);

  constructor(
    sources: ProviderSources,
    { options, world, logger }: { options: FetcherOptions; world: World; logger: Logger },
  ) {
    this.#sources = sources;
    this.#options = options;
    this.#world = world;
    this.#log = logger;
  }

  /**
   * Resolves when nothing is missing. Rejects with NO_PROVIDERS, CONTENT_UNAVAILABLE, CONTENT_BAD,
   * DISK_FULL, what `missing` throws, or the signal's reason.
   */
  async fetch(job: FetchJob): Promise<Fetched> {
    job.signal?.throwIfAborted();
    const done: Fetched = { blocks: 0, bytes: 0, peers: 0 };
    if (await isComplete(job)) return done;
    let reason: string | undefined;
    const onFailure = (error: unknown): void => {
      reason = error instanceof Error ? error.message : 'no connection';
      this.#log.debug('a provider cannot be reached', { why: reason });
    };
    const signal = job.signal ?? new AbortController().signal;
    const known = job.known ?? this.#served.get(hashKey(job.root.hash));
    const quest = { link: job.root, known, signal, onFailure };
    const dialer = new ProviderDialer(this.#sources, quest);
    await using holding = await job.into();
    dialer.start();
    try {
      return await this.#fromAll({ ...job, holding }, dialer, () => reason);
    } finally {
      dialer.stop();
    }
  }

  async #fromAll(
    job: OpenJob,
    dialer: ProviderDialer,
    dialFailure: () => string | undefined,
  ): Promise<Fetched> {
    let sum: Fetched = { blocks: 0, bytes: 0, peers: 0 };
    let why: string | undefined;
    const broken: ProviderContact[] = []; // BOUNDED by returnsMax
    let returns = 0;
    for (let tries = 0; tries < (this.#options.triesMax ?? candidatesMax); tries++) {
      let provider = await dialer.next();
      while (!provider && returns < broken.length) {
        provider = await dialer.again(broken[returns++]);
      }
      if (!provider) break;
      const result = await this.#fromOne(job, provider, { before: sum, dialer });
      const { blocks, bytes } = result;
      const peers = sum.peers + (blocks > 0 ? 1 : 0);
      sum = { blocks: sum.blocks + blocks, bytes: sum.bytes + bytes, peers };
      if (await isComplete(job)) {
        if (blocks > 0) this.#served.set(hashKey(job.root.hash), provider.contact);
        return sum;
      }
      const { end } = result;
      why = end.kind === 'done' ? 'no peer has all of it' : end.why;
      const isBroken = end.kind === 'gone' || end.kind === 'left';
      if (isBroken && blocks > 0 && broken.length < returnsMax) broken.push(provider.contact);
    }
    job.signal?.throwIfAborted();
    const root = toHex(job.root.hash);
    const reason = why ?? dialFailure();
    if (reason === undefined) throw new AltNetError('NO_PROVIDERS', { root });
    throw new AltNetError('CONTENT_UNAVAILABLE', { root, why: reason });
  }

  async #fromOne(
    job: OpenJob,
    { contact, stream }: OpenProvider,
    { before, dialer }: { before: Fetched; dialer: ProviderDialer },
  ): Promise<SyncResult> {
    const { pace, silence, bytesMax = Infinity } = this.#options;
    const slabs = new Slabs();
    const writer = new BlockWriter(job.holding, { onStored: job.onStored, slabs });

    let bytes = before.bytes;
    try {
      const result = await syncWants(stream, job.missing, {
        timers: this.#world.timers,
        root: job.root.hash,
        pace,
        silence,
        hasAlternative: () => dialer.hasNext,
        slabs,
        settle: () => writer.finish(),
        bytesMax: bytesMax - before.bytes,
        signal: job.signal,
        onBlock: (block) => {
          bytes += block.bytes.length;
          job.onProgress?.({ bytes, peers: before.peers + 1 });
          return writer.add(block);
        },
      });
      this.#judge(contact.publicKey, result);
      return result;
    } finally {
      await writer.finish();
    }
  }

  #judge(publicKey: Bytes, { end, blocks }: SyncResult): void {
    if (end.kind === 'done') return;
    this.#log.info('a provider failed', { kind: end.kind, why: end.why, blocks });
    if (end.kind === 'dropped') this.#sources.bad.add(publicKey);
    if (end.kind === 'left') this.#sources.slow.add(publicKey);
  }
}

async function isComplete({ missing }: FetchJob): Promise<boolean> {
  const first = await missing().next();
  return first.done === true;
}
