/**
 * Brings whole DAGs here and makes them complete: what is missing is fetched, every block is named
 * by the holding, and the holding is marked complete. What a DAG says of its size is believed only
 * as far as it costs nobody else anything. Why one is wanted, its callers know.
 */
import { equalBytes } from '../base/bytes.ts';
import { AltNetError, isAltNetError } from '../base/errors.ts';
import type { Fetcher } from './fetching/fetch.ts';
import type { FetchJob, FetchProgress } from './fetching/fetch-job.ts';
import { adoptAll } from './dag/adopt.ts';
import { measure } from './dag/measure.ts';
import { missingOf } from './dag/missing.ts';
import { lent } from './lent.ts';
import type { Blocks, Holding, Holdings } from './ports.ts';
import type { ProviderContact } from './fetching/providers.ts';
import type { Link } from './dag/root.ts';
import type { Want } from './dag/walk.ts';

export interface Bringing {
  readonly link: Link;
  /** Opened, and closed again, by whoever needs it. */
  readonly into: () => Promise<Holding>;
  /** Asked before anybody else. */
  readonly known?: ProviderContact | undefined;
  /** As in FetchJob. */
  readonly admit?: ((bytes: number) => void) | undefined;
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

/** Of the budget: may come of a DAG that did not say so. */
const unsaidShare = 1 / 4;
/** What a DAG says of its size need not count every block above the leaves. */
const claimSlack = 1 / 8;
/** How often what was lost meanwhile is fetched: somebody else's blocks go while ours come. */
const refetchesMax = 3;

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
  async fetch({ link, into, known, admit, signal, onProgress }: Bringing): Promise<number> {
    const blocks = this.#fetcher.blocks(link);
    const want: Want = { link, level: 0, path: [], scope: 'all' };
    // Who holds other sites may hold an earlier version of this one.
    const mayShare = this.#holdsOthersThan(link);
    const missing = (): ReturnType<typeof missingOf> => missingOf(blocks, want, { mayShare });
    const fetched = { root: link, missing, into, known, admit, signal, onProgress };
    const { peers } = await this.#fetcher.fetch({ ...fetched, ...this.#sizeLimits(into) });
    return peers;
  }

  #holdsOthersThan({ hash }: Link): boolean {
    for (const root of this.#holdings.list()) if (!equalBytes(root.hash, hash)) return true;
    return false;
  }

  /**
   * What could never fit is given up before others have to go for it. What turns out to be larger
   * than it said at first goes on only up to a share of the budget, as others go for that unasked.
   */
  #sizeLimits(into: () => Promise<Holding>): Required<Pick<FetchJob, 'onClaim' | 'bytesMax'>> {
    const unsaidBytesMax = this.#holdings.usage().bytesMax * unsaidShare;
    let first: number | undefined;
    let highest = 0;
    return {
      onClaim: async ({ bytesTotal, bytesLeft }) => {
        first ??= bytesTotal;
        if (bytesTotal <= highest) return;
        highest = bytesTotal;
        const { bytesMax } = this.#holdings.usage();
        if (bytesTotal > bytesMax)
          throw new AltNetError('STORE_FULL', { bytes: bytesTotal, bytesMax });
        await using holding = await into();
        await holding.requireRoom(bytesLeft);
      },
      bytesMax: () => Math.max((first ?? 0) * (1 + claimSlack), unsaidBytesMax),
    };
  }

  /** Resolves when the whole DAG is here and its holding is complete. */
  async bring(what: Bringing): Promise<Brought> {
    const { link } = what;
    await using holding = await what.into();
    const into = (): Promise<Holding> => Promise.resolve(lent(holding));
    let peers = 0;
    for (let fetches = 1; ; fetches++) {
      peers = Math.max(peers, await this.fetch({ ...what, into }));
      if (await this.#hasAdopted(link, holding, fetches > refetchesMax)) break;
    }
    const { files, bytes } = await measure(this.#blocks, link);
    await holding.complete({ link, files, bytes });
    return { files, bytes, peers };
  }

  /** False when a block that was here belonged to others, and has gone with them. */
  async #hasAdopted(link: Link, holding: Holding, isLast: boolean): Promise<boolean> {
    try {
      await adoptAll(this.#blocks, link, holding);
      return true;
    } catch (error) {
      if (isLast || !isAltNetError(error, 'CONTENT_UNAVAILABLE')) throw error;
      return false;
    }
  }
}
