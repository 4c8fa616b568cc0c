/**
 * Brings storers up to date that were seen to lack the newest record of a name, or to have an older
 * one. It works behind the answers, a little at a time, and only with records that were verified.
 */
import { toHex } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import { LruMap } from '../base/limits.ts';
import type { Contact } from '../identity/contact.ts';
import type { SignedRecord } from '../record/envelope.ts';
import type { NameSearch } from './ports.ts';

/** The same record is passed on by us no more often. */
const intervalMs = 60 * 60_000;
const recordsRemembered = 4096;
const targetsMax = 20;
const atOnceMax = 4;

export interface RepairDeps {
  readonly dht: Pick<NameSearch, 'store'>;
  readonly clock: Clock;
  /** Ends what is under way. */
  readonly signal: AbortSignal;
}

export class Repair {
  readonly #deps: RepairDeps;
  /** By record: when it was passed on. */
  readonly #doneMs = new LruMap<string, number>(recordsRemembered);
  readonly #running = new Set<Promise<void>>(); // BOUNDED by atOnceMax

  constructor(deps: RepairDeps) {
    this.#deps = deps;
  }

  /** Returns at once. What there is no room for is left to the storers' own upkeep. */
  offer(record: SignedRecord, behind: readonly Contact[]): void {
    const { dht, clock, signal } = this.#deps;
    const id = toHex(record.hash);
    const nowMs = clock.monotonicMs();
    const doneMs = this.#doneMs.get(id);
    const isDone = doneMs !== undefined && nowMs - doneMs < intervalMs;
    if (behind.length === 0 || isDone || signal.aborted || this.#running.size >= atOnceMax) return;
    this.#doneMs.set(id, nowMs);
    const work = this.#pass(() =>
      dht.store(record, { targets: behind.slice(0, targetsMax), signal }),
    );
    this.#running.add(work);
    void work.then(() => this.#running.delete(work));
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    await Promise.all(this.#running);
  }

  /** Whoever does not take it has its reasons, and others hold the record. */
  async #pass(store: () => Promise<unknown>): Promise<void> {
    try {
      await store();
    } catch {
      // nothing is lost: see above
    }
  }
}
