/**
 * Brings whole DAGs here and makes them complete: what is missing is fetched, every block is named
 * by the holding, and the holding is marked complete. Why one is wanted, its callers know.
 */
import type { Fetcher } from './fetching/fetch.ts';
import type { FetchProgress } from './fetching/fetch-job.ts';
import { adoptAll } from './dag/adopt.ts';
import { measure } from './dag/measure.ts';
import { missingOf } from './dag/missing.ts';
import type { Blocks, Holding, Holdings } from './ports.ts';
import type { ProviderContact } from './fetching/providers.ts';
import type { Link } from './dag/root.ts';
import type { Want } from './dag/walk.ts';

export interface Bringing {
  readonly link: Link;
  /** Opened when something is missing, and again to name it all; closed each time. */
  readonly into: () => Promise<Holding>;
  /** Asked before anybody else. */
  readonly known?: ProviderContact | undefined;
  readonly signal: AbortSignal;
  readonly onProgress?: ((got: FetchProgress) => void) | undefined;
}

export interface Brought {
  readonly files: number;
  /** Of the content. */
  readonly bytes: number;
  /** Peers that sent blocks; 0 when all was here already. */
  readonly peers: number;
}

export class Custody {
  readonly #blocks: Blocks;
  readonly #holdings: Holdings;
  readonly #fetcher: Fetcher;

  constructor(blocks: Blocks, holdings: Holdings, fetcher: Fetcher) {
    this.#blocks = blocks;
    this.#holdings = holdings;
    this.#fetcher = fetcher;
  }

  /** Fetches what this node lacks of the DAG. Rejects like `Fetcher.fetch`. */
  async fetch({ link, into, known, signal, onProgress }: Bringing): Promise<number> {
    const blocks = this.#fetcher.blocks(link);
    const want: Want = { link, level: 0, path: [], scope: 'all' };
    // Who holds other sites may hold an earlier version of this one.
    const mayShare = this.#holdings.list()[Symbol.iterator]().next().done !== true;
    const missing = (): ReturnType<typeof missingOf> => missingOf(blocks, want, { mayShare });
    const fetched = { root: link, missing, into, known, signal, onProgress };
    const { peers } = await this.#fetcher.fetch(fetched);
    return peers;
  }

  /** Resolves when the whole DAG is here and its holding is complete. */
  async bring(what: Bringing): Promise<Brought> {
    const peers = await this.fetch(what);
    await using holding = await what.into();
    await adoptAll(this.#blocks, what.link, holding);
    const { files, bytes } = measure(this.#blocks, what.link);
    await holding.complete({ link: what.link, files, bytes });
    return { files, bytes, peers };
  }
}
