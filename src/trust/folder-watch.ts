/**
 * Noticing that files of one folder may have changed. The folder is watched, not the files: editors
 * replace a file by another one of its name. A slow look besides finds what no system tells of:
 * changes on network drives, or behind symbolic links. It must not know what the files hold.
 */
import { type FSWatcher, watch } from 'node:fs';
import type { CancelTimer, Clock, Timers } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';

export interface FolderWatchDeps {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly timers: Timers;
  readonly log: Logger;
}

export interface FolderWatchOptions {
  /** Nothing may change for so long before a look (200 ms) … */
  readonly quietMs?: number | undefined;
  /** … unless something changes all the time (2 s). */
  readonly latestMs?: number | undefined;
  /** Between two looks that nothing gave reason for (10 s). */
  readonly pollMs?: number | undefined;
}

interface WatchedFile {
  /** Reads the file if it is another one than before. Never rejects. */
  readonly look: () => Promise<void>;
  looking: Promise<void> | undefined;
  /** Something happened while it was being looked at. */
  again: boolean;
  /** Monotonic: when the first of the changes came that were not looked at yet. */
  stirredMs: number | undefined;
  cancel: CancelTimer | undefined;
}

export class FolderWatch {
  readonly #folder: string;
  readonly #deps: FolderWatchDeps;
  readonly #quietMs: number;
  readonly #latestMs: number;
  readonly #pollMs: number;
  readonly #files = new Map<string, WatchedFile>(); // BOUNDED by the lists of a node
  #watcher: FSWatcher | undefined;
  #cancelPoll: CancelTimer | undefined;
  #state: 'new' | 'running' | 'stopped' = 'new';

  constructor(folder: string, deps: FolderWatchDeps, options: FolderWatchOptions = {}) {
    this.#folder = folder;
    this.#deps = deps;
    this.#quietMs = options.quietMs ?? 200;
    this.#latestMs = options.latestMs ?? 2000;
    this.#pollMs = options.pollMs ?? 10_000;
  }

  /** Before `start`. `name` is that of a file in the folder, which need not be there. */
  add(name: string, look: () => Promise<void>): void {
    const idle = { looking: undefined, again: false, stirredMs: undefined, cancel: undefined };
    this.#files.set(name, { look, ...idle });
  }

  start(): void {
    if (this.#state !== 'new') return;
    this.#state = 'running';
    this.#watch();
    for (const file of this.#files.values()) this.#look(file); // for what came before
    this.#poll();
  }

  /** Idempotent; resolves when nothing is being looked at. */
  async stop(): Promise<void> {
    this.#state = 'stopped';
    this.#unwatch();
    this.#cancelPoll?.();
    for (const file of this.#files.values()) file.cancel?.();
    for (const { looking } of this.#files.values()) await looking;
  }

  #watch(): void {
    if (this.#watcher) return;
    try {
      const watcher = watch(this.#folder, { persistent: false });
      watcher.on('change', (_, name) => this.#stir(name));
      watcher.on('error', () => this.#unwatch()); // the next poll tries again
      this.#watcher = watcher;
    } catch (error) {
      this.#deps.log.debug('a folder cannot be watched; it is looked at now and then', {
        why: error instanceof Error ? error.message : String(error),
      });
    }
  }

  #unwatch(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }

  #poll(): void {
    this.#cancelPoll = this.#deps.timers.after(this.#pollMs, () => {
      this.#watch();
      for (const file of this.#files.values()) this.#look(file);
      this.#poll();
    });
  }

  /** Some systems do not say which file it was. */
  #stir(name: string | Buffer | null): void {
    if (this.#state !== 'running') return;
    const one = name === null ? undefined : this.#files.get(String(name));
    if (one) this.#delay(one);
    if (name === null) for (const file of this.#files.values()) this.#delay(file);
  }

  #delay(file: WatchedFile): void {
    const nowMs = this.#deps.clock.monotonicMs();
    file.stirredMs ??= nowMs;
    file.cancel?.();
    const leftMs = Math.max(0, file.stirredMs + this.#latestMs - nowMs);
    file.cancel = this.#deps.timers.after(Math.min(this.#quietMs, leftMs), () => this.#look(file));
  }

  #look(file: WatchedFile): void {
    file.cancel?.();
    file.stirredMs = undefined;
    if (this.#state !== 'running') return;
    if (file.looking) {
      file.again = true;
      return;
    }
    file.looking = file.look().finally(() => {
      file.looking = undefined;
      if (!file.again) return;
      file.again = false;
      this.#look(file);
    });
  }
}
