/**
 * Brings what is missing of a root from peers until nothing is missing. Those who fetch something
 * of the same root at the same time share what has come and what is on its way. What was verified
 * stays, whatever becomes of the provider that sent it.
 */
import { toHex } from '../../base/bytes.ts';
import type { World } from '../../base/clock.ts';
import { type Denials, noDenials } from '../../base/denial.ts';
import { LruMap } from '../../base/limits.ts';
import type { Logger } from '../../base/logger.ts';
import { Arrivals } from './arrivals.ts';
import { Asked } from '../exchange/asked.ts';
import type { Fetched, FetcherOptions, FetchJob, TransferParts } from './fetch-job.ts';
import type { Blocks, Verifier } from '../ports.ts';
import type { ProviderContact, ProviderSources } from './providers.ts';
import { hashKey, type Link } from '../dag/root.ts';
import { requireBlock } from '../guarded-store.ts';
import { Transfer } from './transfer.ts';

/** Providers of one root that are remembered. */
const servedMax = 4;
/** Those who served anything lately are asked for something new at once, beside the search. */
const guessesMax = 4;
const latelyMs = 10 * 60_000;

/** What those who fetch something of one root share. */
interface Desk {
  readonly arrivals: Arrivals;
  readonly asked: Asked;
  /** BOUNDED by the jobs of the root. */
  readonly running: Set<Transfer>;
  users: number;
}

export interface FetcherParts {
  readonly blocks: Blocks;
  readonly options: FetcherOptions;
  readonly world: World;
  readonly logger: Logger;
  readonly verifier?: Verifier | undefined;
  /** What is not fetched; left out: nothing. */
  readonly denials?: Pick<Denials, 'ofBlock'> | undefined;
}

export class Fetcher {
  readonly #parts: FetcherParts & Pick<TransferParts, 'sources' | 'denials'>;
  /** Who served a root last, by its hash: asked before the DHT is. BOUNDED by its size. */
  readonly #served = new LruMap<string, readonly ProviderContact[]>(1024);
  /** Who served anything, and when, the last one last. BOUNDED by its size. */
  readonly #recent = new LruMap<string, { contact: ProviderContact; atMs: number }>(guessesMax);
  readonly #desks = new Map<string, Desk>(); // BOUNDED by the jobs: one without any is removed

  constructor(sources: ProviderSources, parts: FetcherParts) {
    this.#parts = { ...parts, sources, denials: parts.denials ?? noDenials };
  }

  /** What is stored, and what has come for a job of this root and is about to be. */
  blocks(root: Link): Blocks {
    const key = hashKey(root.hash);
    const { blocks } = this.#parts;
    const here = (): Blocks => this.#desks.get(key)?.arrivals ?? blocks;
    return {
      get: (hash) => here().get(hash),
      has: (hash) => here().has(hash),
      forget: async (hash) => blocks.forget?.(hash),
    };
  }

  /**
   * Resolves when nothing is missing and what came is stored. Rejects with NO_PROVIDERS,
   * CONTENT_UNAVAILABLE, CONTENT_BAD, DISK_FULL, STORE_FULL, what `missing` or `onClaim` throws, or
   * the signal's reason.
   */
  async fetch(job: FetchJob): Promise<Fetched> {
    job.signal?.throwIfAborted();
    if (job.reading?.isAtEnd() !== false && (await this.#isComplete(job))) {
      return { blocks: 0, bytes: 0, peers: 0 };
    }
    const key = hashKey(job.root.hash);
    const desk = this.#deskOf(key);
    desk.users++;
    try {
      await using holding = await job.into();
      desk.arrivals.open(holding, job.onArrival);
      try {
        return await this.#transfer(job, desk);
      } finally {
        await desk.arrivals.close(holding, job.onArrival);
      }
    } finally {
      if (--desk.users === 0 && this.#desks.get(key) === desk) this.#desks.delete(key);
    }
  }

  async #transfer(job: FetchJob, { arrivals, asked, running }: Desk): Promise<Fetched> {
    const key = hashKey(job.root.hash);
    // Who sends to others at this moment need not be searched for.
    const sending = [...running].flatMap(({ senders }) => senders).slice(0, servedMax);
    const served = sending.length > 0 ? sending : (this.#served.get(key) ?? []);
    const known = job.known ? [job.known, ...served] : served;
    const guesses = known.length > 0 ? [] : this.#servedLately();
    const transfer = new Transfer(job, { ...this.#parts, arrivals, asked, known, guesses });
    running.add(transfer);
    try {
      return await transfer.run();
    } finally {
      running.delete(transfer);
      const senders = transfer.senders.slice(0, servedMax);
      if (senders.length > 0) this.#served.set(key, senders);
      this.#noteSenders(senders);
    }
  }

  #noteSenders(senders: readonly ProviderContact[]): void {
    const atMs = this.#parts.world.clock.monotonicMs();
    for (const contact of senders) this.#recent.set(toHex(contact.publicKey), { contact, atMs });
  }

  #servedLately(): ProviderContact[] {
    const sinceMs = this.#parts.world.clock.monotonicMs() - latelyMs;
    const lately = [...this.#recent.entries()].map(([, one]) => one);
    return lately.flatMap(({ contact, atMs }) => (atMs > sinceMs ? contact : []));
  }

  /** A new one where there is none, or where the store has refused what those before brought. */
  #deskOf(key: string): Desk {
    const before = this.#desks.get(key);
    if (before && !before.arrivals.hasFailed) return before;
    const arrivals = new Arrivals(this.#parts.blocks, this.#parts.world.clock);
    const desk: Desk = { arrivals, asked: new Asked(), running: new Set(), users: 0 };
    this.#desks.set(key, desk);
    return desk;
  }

  /** Rejects when what is missing first is denied: nobody is looked for. */
  async #isComplete({ missing }: FetchJob): Promise<boolean> {
    const first = await missing().next();
    if (first.done) return true;
    requireBlock(this.#parts.denials, first.value.link.hash);
    return false;
  }
}
