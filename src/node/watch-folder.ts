/**
 * Noticing that a folder which is published has changed. It watches every folder below it, as far
 * as the system lets it, and looks at all files now and then otherwise; what counts as a change is
 * said by a scan, the same that publishing begins with. It does not publish.
 */
import { type FSWatcher, watch } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { utf8 } from '../base/bytes.ts';
import { type AltNetError, isAltNetError } from '../base/errors.ts';
import { sha256 } from '../base/hash.ts';
import { hashKey } from '../content/dag/root.ts';
import { scan } from '../content/import/scan.ts';
import type { ScannedFolder } from '../content/import/scanned.ts';

export interface WatchOptions {
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Called once if the system does not watch (so much) for us: changes are noticed later then. */
  readonly onPolling?: ((why: string) => void) | undefined;
  /** Called with PATH_MISSING or FOLDER_EMPTY at each look while nothing is there to publish. */
  readonly onAbsent?: ((error: AltNetError) => void) | undefined;
  /** Nothing may change for so long before a change is told (300 ms) … */
  readonly quietMs?: number;
  /** … unless something changes all the time (5 s). */
  readonly latestMs?: number;
  /** Between two looks at all files when nothing is watched (2 s). */
  readonly pollMs?: number;
  /** And when it is: changes on network drives are not always told, for example (60 s). */
  readonly sweepMs?: number;
  /** Of more folders none is watched (4,096): the system has to remember them all. */
  readonly foldersMax?: number;
}

/**
 * Yields at once, and again after each change of the folder or file at `from`, an absolute path,
 * until the signal aborts; keeps the process alive until then. Changes that come while the last one
 * is being worked on are one change. A folder that is missing or empty is waited for; one that
 * cannot be published for another reason counts as changed, once.
 */
export async function* watchFolder(
  from: string,
  options: WatchOptions,
): AsyncGenerator<void, void, undefined> {
  const { signal } = options;
  using folder = new WatchedFolder(from, options);
  try {
    let told = await folder.look();
    yield;
    for (;;) {
      await folder.change();
      const state = await folder.settled(told);
      if (state === told || state === undefined) continue;
      told = state;
      yield;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

class WatchedFolder {
  readonly #from: string;
  readonly #signal: AbortSignal;
  readonly #onPolling: ((why: string) => void) | undefined;
  readonly #onAbsent: ((error: AltNetError) => void) | undefined;
  readonly #quietMs: number;
  readonly #latestMs: number;
  readonly #pollMs: number;
  readonly #sweepMs: number;
  readonly #foldersMax: number;
  readonly #watchers = new Map<string, FSWatcher>(); // BOUNDED by foldersMax, see #watch()
  #polling = false;
  /** The last look went wrong, and the next event may never come. */
  #unsure = false;
  #stir = Promise.withResolvers<void>();
  #stirred = false;

  constructor(from: string, options: WatchOptions) {
    this.#from = from;
    this.#signal = options.signal;
    this.#onPolling = options.onPolling;
    this.#onAbsent = options.onAbsent;
    this.#quietMs = options.quietMs ?? 300;
    this.#latestMs = options.latestMs ?? 5000;
    this.#pollMs = options.pollMs ?? 2000;
    this.#sweepMs = options.sweepMs ?? 60_000;
    this.#foldersMax = options.foldersMax ?? 4096;
  }

  /** A text that is the same as long as nothing changes; undefined while nothing is there. */
  async look(): Promise<string | undefined> {
    const met = new Set<string>(); // BOUNDED by the folders of a scan
    this.#stirred = false;
    this.#unsure = true;
    try {
      const folder = await scan(this.#from, {
        signal: this.#signal,
        // Before it is listed, so that nothing can come in between.
        onFolder: (at) => this.#watch(at, met),
      });
      this.#unsure = met.size === 0; // a lone file
      this.#forgetOthers(met);
      return stateOf(folder);
    } catch (error) {
      if (isAltNetError(error, 'PATH_MISSING') || isAltNetError(error, 'FOLDER_EMPTY')) {
        this.#onAbsent?.(error);
        return undefined;
      }
      if (isAltNetError(error) && !this.#signal.aborted) return `error: ${error.message}`;
      throw error;
    }
  }

  /** Resolves when something may have changed since the last look. */
  async change(): Promise<void> {
    if (this.#stirred) return;
    const waitMs = this.#polling || this.#unsure ? this.#pollMs : this.#sweepMs;
    await this.#wait(waitMs);
  }

  /** What `look` says once nothing changes any more, or as soon as it says `before`. */
  async settled(before: string | undefined): Promise<string | undefined> {
    const latestMs = performance.now() + this.#latestMs;
    while (this.#stirred && performance.now() < latestMs) {
      this.#stirred = false;
      await sleep(this.#quietMs, undefined, { signal: this.#signal });
    }
    let state = await this.look();
    while (this.#polling && state !== before && performance.now() < latestMs) {
      await sleep(this.#quietMs, undefined, { signal: this.#signal });
      const later = await this.look();
      if (later === state) break;
      state = later;
    }
    return state;
  }

  [Symbol.dispose](): void {
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  async #wait(ms: number): Promise<void> {
    const woken = new AbortController();
    const signal = AbortSignal.any([this.#signal, woken.signal]);
    this.#stir = Promise.withResolvers();
    const timer = sleep(ms, undefined, { signal });
    try {
      await Promise.race([timer, this.#stir.promise]);
    } finally {
      woken.abort();
      await timer.catch(() => undefined);
    }
    this.#signal.throwIfAborted();
  }

  #watch(at: string, met: Set<string>): void {
    met.add(at);
    if (this.#polling || this.#watchers.has(at)) return;
    if (this.#watchers.size >= this.#foldersMax) {
      return this.#poll(`there are more than ${this.#foldersMax} folders`);
    }
    try {
      const watcher = watch(at);
      this.#watchers.set(at, watcher);
      watcher.on('change', (_, name) => {
        // It may have been the folder itself, moved or removed: another one of its name is not
        // watched by this.
        if (name === path.basename(at)) this.#forget(at, watcher);
        this.#rise();
      });
      watcher.on('error', () => {
        this.#forget(at, watcher);
        this.#rise();
      });
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : '';
      if (code !== 'ENOENT') this.#poll(`the system watches no more folders (${code})`);
    }
  }

  #rise(): void {
    this.#stirred = true;
    this.#stir.resolve();
  }

  #forget(at: string, watcher: FSWatcher): void {
    watcher.close();
    if (this.#watchers.get(at) === watcher) this.#watchers.delete(at);
  }

  #forgetOthers(met: ReadonlySet<string>): void {
    for (const [at, watcher] of this.#watchers) if (!met.has(at)) this.#forget(at, watcher);
  }

  #poll(why: string): void {
    this.#polling = true;
    this[Symbol.dispose]();
    this.#onPolling?.(why);
  }
}

function stateOf({ name, files, folders }: ScannedFolder): string {
  const lines = [
    ...files.map((file) => `${file.name}\0${file.says}`),
    ...folders.map((folder) => stateOf(folder)),
  ];
  return hashKey(sha256(utf8(`${name}\0${lines.toSorted().join('\n')}`)));
}
