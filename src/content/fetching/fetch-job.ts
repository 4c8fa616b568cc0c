/** What is fetched, for whom and within which limits: the words that a fetch is ordered in. */
import type { World } from '../../base/clock.ts';
import type { Denials } from '../../base/denial.ts';
import type { Logger } from '../../base/logger.ts';
import type { Arrivals } from './arrivals.ts';
import type { Asked } from '../exchange/asked.ts';
import type { PaceOptions } from '../exchange/pace.ts';
import type { Holding, Verifier } from '../ports.ts';
import type { ProviderContact, ProviderSources } from './providers.ts';
import type { Link } from '../dag/root.ts';
import type { SilenceOptions } from '../exchange/silence.ts';
import type { Want } from '../dag/walk.ts';

/** Somebody who reads while it is fetched: blocks come in order, and not all at once. */
export interface Reading {
  /** Calls back whenever `missing` may give something else; returns what ends that. */
  readonly moved: (listener: () => void) => () => void;
  /** Whether `missing` tells all that will ever be wanted. */
  readonly isAtEnd: () => boolean;
}

export interface FetchProgress {
  readonly bytes: number;
  /** What the content says of its size. */
  readonly bytesTotal?: number;
  /** Peers that are sending now. */
  readonly peers: number;
}

/** What the content says of its size; nobody has checked it. */
export interface Claim {
  readonly bytesTotal: number;
  /** Of them, what is not here yet. */
  readonly bytesLeft: number;
}

export interface FetchJob {
  /** Whose providers are asked. */
  readonly root: Link;
  /**
   * What is still to be fetched, looked up anew each time it is called; in `Fetcher.blocks(root)`,
   * where blocks can be read before they are stored.
   */
  readonly missing: () => AsyncGenerator<Want, void, undefined>;
  /** Opened once something is missing; what is fetched is written into it, and it is closed. */
  readonly into: () => Promise<Holding>;
  readonly signal?: AbortSignal | undefined;
  /** Asked before anybody else. */
  readonly known?: ProviderContact | undefined;
  /** Called whenever a block has become readable, and once at the beginning. */
  readonly onArrival?: (() => void) | undefined;
  /** What is asked for a missing want, where that is more; the fetch then takes whole answers. */
  readonly ask?: ((missing: Want) => Want) | undefined;
  /** Left out: nobody waits for parts of it. */
  readonly reading?: Reading | undefined;
  /** Called when that is known, and again when it changes; its rejection ends the fetch. */
  readonly onClaim?: ((claim: Claim) => Promise<void>) | undefined;
  /** Most that may come; looked up anew with each block. */
  readonly bytesMax?: (() => number) | undefined;
  /** Told the length of each block before it is stored; what it throws ends the fetch. */
  readonly admit?: ((bytes: number) => void) | undefined;
  readonly onProgress?: ((progress: FetchProgress) => void) | undefined;
}

export interface Fetched {
  readonly blocks: number;
  readonly bytes: number;
  /** Peers that sent something. */
  readonly peers: number;
}

/** When a thread is worth it that receives what a peer sends. */
export interface ReceptionRules {
  /** So much is left, in large blocks, */
  readonly leftBytes: number;
  /** each peer that is moved there has brought so much, */
  readonly broughtBytes: number;
  /** and all such together this: what is slower leaves the main thread time for everything else. */
  readonly bytesPerMs: number;
}

export const defaultReception: ReceptionRules = {
  leftBytes: 64 * 1024 * 1024,
  broughtBytes: 1024 * 1024,
  bytesPerMs: 16 * 1024,
};

export interface FetcherOptions {
  /** Providers that are tried for one job: as many as are looked at when left out. */
  readonly triesMax?: number;
  /** Bytes that one job may bring. */
  readonly bytesMax?: number;
  readonly reception?: ReceptionRules | undefined;
  readonly pace?: PaceOptions | undefined;
  readonly silence?: SilenceOptions | undefined;
}

/** What a fetch works with; those of its root are shared with others. */
export interface TransferParts {
  readonly sources: ProviderSources;
  readonly options: FetcherOptions;
  readonly world: World;
  readonly logger: Logger;
  readonly verifier?: Verifier | undefined;
  /** What is not taken: an answer may hold it without its having been asked for. */
  readonly denials: Pick<Denials, 'ofBlock'>;
  readonly arrivals: Arrivals;
  readonly asked: Asked;
  readonly known: readonly ProviderContact[];
  readonly guesses: readonly ProviderContact[];
}
