/**
 * A list that follows its file: read at the start, read again when the file is another one, and
 * kept as it was while the file cannot be read. It must not know what is in the list.
 */
import path from 'node:path';
import { isAltNetError } from '../base/errors.ts';
import { KeyedTurns } from '../base/keyed-turns.ts';
import type { Logger } from '../base/logger.ts';
import { type FileStamp, stampOf } from './list-file.ts';
import { Listeners } from './listeners.ts';
import type { StopListening } from './ports.ts';

export interface Loaded<T> {
  readonly loaded: T;
  readonly stamp: FileStamp;
}

export interface ListForm<T> {
  /** What a missing file means. */
  readonly empty: T;
  /** Rejects with LIST_UNREADABLE. */
  load(file: string, signal: AbortSignal): Promise<Loaded<T>>;
  /** Whether one may stand for the other without anybody being told. */
  isSame(before: T, after: T): boolean;
  /** Says in the log what was read; `before` was in force until then. */
  report(list: T, about: { readonly before: T; readonly file: string; readonly log: Logger }): void;
}

/** Callers of the API and the watch. */
const pendingMax = 64;
/** So often a file is read in vain because it changed meanwhile: some are written all the time. */
const overtakenMax = 5;

export class LiveList<T> {
  readonly file: string;
  readonly #form: ListForm<T>;
  readonly #log: Logger;
  readonly #listeners = new Listeners();
  readonly #turns: KeyedTurns;
  readonly #ended = new AbortController();
  #list: T;
  #stamp: FileStamp;
  #isBroken = false;
  /** In a row, without another list coming into force. */
  #overtaken = 0;

  constructor(file: string, form: ListForm<T>, log: Logger) {
    this.file = file;
    this.#form = form;
    this.#log = log;
    this.#list = form.empty;
    this.#turns = new KeyedTurns({ pendingMax, what: `changes of ${path.basename(file)}` });
  }

  get list(): T {
    return this.#list;
  }

  /** Of the file that the list was read from. */
  get stamp(): FileStamp {
    return this.#stamp;
  }

  /** Reads the file. Rejects with LIST_UNREADABLE. */
  async start(): Promise<void> {
    await this.inTurn(async () => {
      while (!(await this.#load()));
    });
  }

  /** Reads the file if it is another one than before. Never rejects. */
  async look(): Promise<void> {
    try {
      await this.inTurn(() => this.refresh());
    } catch (error) {
      if (this.#ended.signal.aborted || isAltNetError(error, 'BUSY')) return;
      const why = isAltNetError(error, 'LIST_UNREADABLE') ? error.details.why : String(error);
      const fields = { file: path.basename(this.file), why };
      if (!this.#isBroken) this.#log.warn('a list cannot be read; what it said stays', fields);
      this.#isBroken = true;
    }
  }

  /** Alone: nobody reads or changes the file from here meanwhile. Rejects with BUSY. */
  inTurn<R>(work: () => Promise<R>): Promise<R> {
    return this.#turns.run('', work, this.#ended.signal);
  }

  /** In turn only: what `look` does, for who must know that it worked. */
  async refresh(): Promise<void> {
    if ((await stampOf(this.file)) !== this.#stamp) await this.#load();
    this.#isBroken = false;
  }

  /** In turn only: this node changed the file itself, and the list is what it says now. */
  replace({ loaded, stamp }: Loaded<T>): void {
    this.#list = loaded;
    this.#stamp = stamp;
    this.#listeners.tell();
  }

  onChange(listener: () => void): StopListening {
    return this.#listeners.add(listener);
  }

  /** Idempotent; resolves when nothing is read or written any more. */
  async stop(): Promise<void> {
    this.#ended.abort();
    await this.#turns.run('', () => Promise.resolve()).catch(() => undefined);
  }

  /** False: the file changed meanwhile, and what was read may be a part; the list before stays. */
  async #load(): Promise<boolean> {
    const before = this.#list;
    const { loaded, stamp } = await this.#form.load(this.file, this.#ended.signal);
    if ((await stampOf(this.file)) !== stamp && ++this.#overtaken < overtakenMax) return false;
    this.#overtaken = 0;
    this.#list = loaded;
    this.#stamp = stamp;
    this.#form.report(loaded, { before, file: path.basename(this.file), log: this.#log });
    if (!this.#form.isSame(before, loaded)) this.#listeners.tell();
    return true;
  }
}
