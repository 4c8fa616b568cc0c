/**
 * Replication as the sites use it: keeps what others offer, offers what this node publishes, and
 * looks after both for as long as the node runs (docs/spec/replication.md).
 */
import type { Bytes } from '../../base/bytes.ts';
import type { World } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import { Background } from '../background.ts';
import type { Custody } from '../custody.ts';
import type { Blocks, Connections, Holdings, KeeperSearch, ProviderSearch } from '../ports.ts';
import type { Announcer } from '../provide.ts';
import type { ProviderContact } from '../fetching/providers.ts';
import { hashKey, type Link } from '../dag/root.ts';
import type { Replication } from '../types.ts';
import { Admission, admissionDefaults, type AdmissionOptions } from './admission.ts';
import { type CopiesCounted, CopyCounts } from './copy-counts.ts';
import { keepProtocol } from './keep-frames.ts';
import { KeepServer } from './keep-server.ts';
import { Leftovers } from './leftovers.ts';
import type { CopiesHealth } from './looks.ts';
import { type CopyProgress, Recruiter } from './recruit.ts';
import { Survey } from './survey.ts';
import { Taker } from './taker.ts';
import { Upkeep } from './upkeep.ts';

export interface ReplicatorDeps {
  readonly blocks: Blocks;
  readonly holdings: Holdings;
  readonly custody: Custody;
  readonly announcer: Announcer;
  readonly search: ProviderSearch;
  readonly keepers: KeeperSearch;
  readonly connections: Connections;
  readonly world: World;
  readonly log: Logger;
  /** This node's own key. */
  readonly self: Bytes;
  /** What this node's user took back: it is not stored here again. */
  readonly declines: (hash: Bytes) => boolean;
}

export interface ReplicationOptions {
  /** Full copies besides the publisher's. */
  readonly replicas: number;
  /** How often a holder looks whether there are enough; at most an hour. */
  readonly repairIntervalMs: number;
  /** How long a version that was replaced stays. Default 24 h. */
  readonly graceMs?: number | undefined;
  /** Whether this node keeps copies for others: a server that listens. */
  readonly isKeeper: () => boolean;
  /** What is larger is announced and not offered. */
  readonly perPeerBytesMax: number;
  readonly admission?: Partial<AdmissionOptions> | undefined;
}

export interface Copying {
  readonly link: Link;
  readonly files: number;
  readonly replaces?: Bytes | undefined;
  readonly signal: AbortSignal;
  readonly onProgress?: ((done: CopyProgress) => void) | undefined;
}

const graceMsDefault = 24 * 3_600_000;

export class Replicator {
  readonly #deps: ReplicatorDeps;
  readonly #options: ReplicationOptions;
  readonly #counts = new CopyCounts();
  readonly #server: KeepServer;
  readonly #recruiter: Recruiter;
  readonly #survey: Survey;
  readonly #upkeep: Upkeep;
  readonly #leftovers: Leftovers;
  readonly #background: Background;

  constructor(deps: ReplicatorDeps, options: ReplicationOptions) {
    const { world, log } = deps;
    const { replicas, repairIntervalMs: intervalMs, perPeerBytesMax } = options;
    this.#deps = deps;
    this.#options = options;
    this.#background = new Background(log);
    const admission = new Admission(world, { ...admissionDefaults, ...options.admission });
    const { isKeeper } = options;
    const taker = new Taker({ ...deps, admission, isKeeper });
    const counts = this.#counts;
    this.#server = new KeepServer({ ...deps, taker, admission, counts });
    this.#recruiter = new Recruiter({ ...deps, perPeerBytesMax, counts });
    this.#survey = new Survey(deps);
    const parts = {
      survey: this.#survey,
      recruiter: this.#recruiter,
      background: this.#background,
    };
    this.#upkeep = new Upkeep({ ...deps, ...parts }, { replicas, intervalMs });
    const leftovers = { ...deps, background: this.#background };
    this.#leftovers = new Leftovers(leftovers, options.graceMs ?? graceMsDefault);
  }

  async start(): Promise<void> {
    await this.#deps.connections.handle(keepProtocol, (stream) => this.#server.serve(stream));
    this.#leftovers.start();
    this.#upkeep.start();
  }

  async stop(): Promise<void> {
    await Promise.all([this.#server.stop(), this.#upkeep.stop(), this.#leftovers.stop()]);
    await this.#background.settled();
  }

  /** This node is back, or elsewhere: what it holds is looked at soon. */
  hasten(): void {
    this.#upkeep.hasten();
  }

  /** How many own roots have fewer copies than wanted, as far as this node has seen. */
  health(): CopiesHealth {
    return this.#upkeep.health();
  }

  /** What became of offers since the start, of ours and of those that were made to us. */
  counts(): CopiesCounted {
    return this.#counts.snapshot();
  }

  /** Makes the copies of what this node holds completely. Rejects with the signal's reason. */
  async copy({ link, files, replaces, signal, onProgress }: Copying): Promise<Replication> {
    const { replicas: wanted } = this.#options;
    const first = replaces ? await this.#holdersOf(replaces, signal) : [];
    const job = { link, files, wanted, replaces, first, signal, onProgress };
    const { replicas, refused } = await this.#recruiter.recruit(job);
    this.#upkeep.published(link.hash, replicas);
    return { replicas, wanted, refused };
  }

  /** Those that hold the version before have most of the next one already. */
  async #holdersOf(hash: Bytes, signal: AbortSignal): Promise<readonly ProviderContact[]> {
    const found = await this.#survey.of([{ codec: 'dag-pb', hash }], signal);
    return found.get(hashKey(hash))?.held ?? [];
  }
}
