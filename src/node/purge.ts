/**
 * What is denied goes from the disk: each site whose root is, with all of its blocks that no other
 * site here has. It does not decide what is denied, nor keeps anything from coming.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Bytes } from '../base/bytes.ts';
import type { Denials } from '../base/denial.ts';
import type { Logger } from '../base/logger.ts';
import { reasonOf } from '../base/reason.ts';
import type { Store } from '../store/store.ts';

export interface PurgeParts {
  readonly store: Pick<Store, 'blocks' | 'holdings'>;
  readonly denials: Pick<Denials, 'ofBlock' | 'onChange'>;
  readonly log: Logger;
}

const rootsPerTurn = 256;
/** Looks after one change: each finds what was being written during the one before. */
const looksMax = 8;

export class Purge implements AsyncDisposable {
  readonly #parts: PurgeParts;
  #running: Promise<number> | undefined;
  #isAskedAgain = false;
  #stopListening: (() => void) | undefined;
  #stopped = false;
  #dropped = 0;

  constructor(parts: PurgeParts) {
    this.#parts = parts;
  }

  /** Looks at once, for what was denied while this node was off, and after every change. */
  start(): void {
    const look = (): void => void this.run().catch((error: unknown) => this.#report(error));
    this.#stopListening ??= this.#parts.denials.onChange(look);
    look();
  }

  /** Blocks that went since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  /** What is denied now is gone when it resolves, with the number of blocks that went. */
  run(): Promise<number> {
    if (this.#running) this.#isAskedAgain = true;
    this.#running ??= this.#runAll().finally(() => (this.#running = undefined));
    return this.#running;
  }

  /** Idempotent; resolves when nothing is being dropped. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#stopListening?.();
    await this.#running?.catch(() => undefined);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #runAll(): Promise<number> {
    let blocks = 0;
    let roots = 0;
    let looks = 0;
    do {
      looks = this.#isAskedAgain ? 1 : looks + 1;
      this.#isAskedAgain = false;
      const gone = await this.#runOnce();
      blocks += gone.blocks;
      roots = gone.roots;
      // Something was dropped: what was being written of it by then may have come after that.
    } while ((this.#isAskedAgain || (roots > 0 && looks < looksMax)) && !this.#stopped);
    return blocks;
  }

  async #runOnce(): Promise<{ readonly roots: number; readonly blocks: number }> {
    const { store, denials, log } = this.#parts;
    const before = store.blocks.stats().blocks;
    let roots = 0;
    let failure: { readonly error: unknown } | undefined;
    for (const hash of await this.#deniedRoots()) {
      if (this.#stopped) break;
      if (!denials.ofBlock(hash)) continue; // allowed again while others went
      try {
        await store.holdings.remove(hash);
        roots++;
      } catch (error) {
        failure ??= { error }; // the others go all the same
      }
    }
    const blocks = Math.max(0, before - store.blocks.stats().blocks);
    this.#dropped += blocks;
    if (roots > 0) log.info('dropped what is denied', { roots, blocks });
    if (failure) throw failure.error;
    return { roots, blocks };
  }

  async #deniedRoots(): Promise<Bytes[]> {
    const { store, denials } = this.#parts;
    const denied: Bytes[] = []; // BOUNDED by the roots that are held
    let looked = 0;
    const hashes = Array.from(store.holdings.list(), ({ hash }) => hash); // it may change meanwhile
    for (const hash of hashes) {
      if (denials.ofBlock(hash)) denied.push(hash);
      if (++looked % rootsPerTurn === 0) await nextTurn();
    }
    return denied;
  }

  #report(error: unknown): void {
    this.#parts.log.error('what is denied could not be dropped from the disk', {
      why: reasonOf(error),
    });
  }
}
