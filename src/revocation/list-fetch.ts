/**
 * Fetches what records do not show of their lists: at once when a record says so, and again and
 * again while it cannot be had. What a list means is not known here.
 */
import { toHex } from '../base/bytes.ts';
import { AltNetError } from '../base/errors.ts';
import type { World } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { forEachOf } from '../base/parallel.ts';
import { reasonOf } from '../base/reason.ts';
import { Nudge, repeat } from '../dht/loops.ts';
import { revocationBytes } from '../record/revocations.ts';
import type { Intake } from './intake.ts';
import type { RevokerLists } from './lists.ts';
import type { ListFiles } from './ports.ts';
import type { RevokerList } from './revoker-list.ts';

export interface ListFetchDeps {
  readonly lists: RevokerLists;
  readonly intake: Pick<Intake, 'complete'>;
  readonly files: Pick<ListFiles, 'read'>;
  readonly world: World;
  readonly log: Logger;
}

/** Between two attempts. */
const fetchMs = 30_000;
/** A list of a million entries takes 33 MB. */
const fetchMsMax = 5 * 60_000;
const idleMs = 3_600_000;

/** Larger ones come one after the other, as each is in memory while it is read. */
const smallBytesMax = 1024 * 1024;
const smallAtOnce = 3;

export class ListFetch {
  readonly #deps: ListFetchDeps;
  readonly #stopping = new AbortController();
  readonly #nudge = new Nudge();
  /** Of each revoker, the record whose file is no such list. BOUNDED by the revokers */
  readonly #refused = new Map<string, string>();
  #isDue = true;
  #loop: Promise<void> | undefined;

  constructor(deps: ListFetchDeps) {
    this.#deps = deps;
  }

  start(): void {
    const { world, log } = this.#deps;
    this.#loop ??= repeat(
      {
        name: 'fetch lists of revocations',
        delayMs: () => this.#untilDue(),
        run: (signal) => this.#fetchAll(signal),
        nudge: this.#nudge,
      },
      { timers: world.timers, log, signal: this.#stopping.signal },
    );
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new AltNetError('ABORTED', {}));
    await this.#loop;
  }

  /** A record shows less than its list has. */
  wake(): void {
    this.#isDue = true;
    this.#nudge.now();
  }

  #untilDue(): number {
    if (this.#isDue) return 0;
    return this.#lacking().length > 0 ? fetchMs : idleMs;
  }

  #lacking(): readonly RevokerList[] {
    return this.#deps.lists.all().filter((list) => list.isLacking && !this.#isRefused(list));
  }

  /** What is no list never becomes one: the next record is waited for. */
  #isRefused({ revoker, record }: RevokerList): boolean {
    return record !== undefined && this.#refused.get(toHex(revoker)) === toHex(record.hash);
  }

  async #fetchAll(signal: AbortSignal): Promise<void> {
    this.#isDue = false;
    const lacking = this.#lacking();
    const fetch = (list: RevokerList): Promise<void> => this.#tryToFetch(list, signal);
    await Promise.all([
      forEachOf(lacking.filter(isSmall), smallAtOnce, fetch),
      forEachOf(
        lacking.filter((list) => !isSmall(list)),
        1,
        fetch,
      ),
    ]);
  }

  async #tryToFetch(list: RevokerList, signal: AbortSignal): Promise<void> {
    try {
      await this.#fetch(list, AbortSignal.any([signal, AbortSignal.timeout(fetchMsMax)]));
    } catch (error) {
      signal.throwIfAborted();
      this.#deps.log.warn('a list of revocations could not be fetched', { why: reasonOf(error) });
    }
  }

  async #fetch(list: RevokerList, signal: AbortSignal): Promise<void> {
    const { files, intake, log } = this.#deps;
    const { record, body } = list;
    if (!record || !body?.list) return;
    const entries = await files.read(body.list, { bytes: bytesOf(list), signal });
    if (await intake.complete(list, record, entries)) return;
    const revoker = toHex(list.revoker);
    this.#refused.set(revoker, toHex(record.hash));
    log.warn('a list of revocations is not what its record says', { revoker });
  }
}

/** Of the file that the newest record names. */
function bytesOf({ body }: RevokerList): number {
  return (body?.count ?? 0) * revocationBytes;
}

function isSmall(list: RevokerList): boolean {
  return bytesOf(list) <= smallBytesMax;
}
