/**
 * Whom a node trusts and what its operator denies, as the files in its data folder say, followed
 * while the node runs (docs/spec/trust.md). What follows from it is the business of those who ask.
 */
import path from 'node:path';
import type { Bytes } from '../base/bytes.ts';
import type { World } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { nobodysZone } from '../record/zone.ts';
import { Blocklist } from './blocklist.ts';
import { ListedDenials } from './denials.ts';
import { FolderWatch, type FolderWatchOptions } from './folder-watch.ts';
import { KeyList } from './key-list.ts';

export const trustFiles = {
  registrars: 'trusted-registrars.txt',
  revokers: 'trusted-revokers.txt',
  blocklist: 'blocklist.txt',
} as const;

export interface TrustDeps {
  /** Where the files are; absolute. */
  readonly folder: string;
  readonly world: World;
  readonly log: Logger;
}

export class Trust implements AsyncDisposable {
  /** Whose names resolve; without any, those of the open zone. */
  readonly registrars: KeyList;
  /** Whose revocations count. */
  readonly revokers: KeyList;
  readonly blocklist: Blocklist;
  readonly denials: ListedDenials;
  readonly #watch: FolderWatch;

  constructor({ folder, world, log }: TrustDeps, options: FolderWatchOptions = {}) {
    const fileOf = (name: keyof typeof trustFiles): string => path.join(folder, trustFiles[name]);
    this.registrars = new KeyList(fileOf('registrars'), log);
    this.revokers = new KeyList(fileOf('revokers'), log);
    this.blocklist = new Blocklist(fileOf('blocklist'), { random: world.random, log });
    this.denials = new ListedDenials(this.blocklist);
    this.#watch = new FolderWatch(folder, { ...world, log }, options);
    for (const name of ['registrars', 'revokers', 'blocklist'] as const) {
      this.#watch.add(trustFiles[name], () => this[name].look());
    }
  }

  /**
   * The zones whose names resolve, the first asked first; none stands for the open one. Whoever
   * wrote a list and mistyped each key did not mean that names are anybody's: then none resolves.
   */
  zones(): readonly Bytes[] {
    return this.registrars.isSpoilt() ? [nobodysZone] : this.registrars.list();
  }

  /** Rejects with LIST_UNREADABLE, and leaves nothing running then. */
  async start(): Promise<void> {
    await this.registrars.start();
    await this.revokers.start();
    await this.blocklist.start();
    this.#watch.start();
  }

  /** Idempotent. What was read stays in force. */
  async stop(): Promise<void> {
    await this.#watch.stop();
    await Promise.all([this.registrars.stop(), this.revokers.stop(), this.blocklist.stop()]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
