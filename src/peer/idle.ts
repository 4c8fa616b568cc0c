/**
 * Closes connections that carried no stream for a while. Of protocols it knows only which one
 * libp2p itself speaks all the time.
 */
import type { Connection } from '@libp2p/interface';
import { type Bytes, toHex } from '../base/bytes.ts';
import type { CancelTimer, World } from '../base/clock.ts';
import { LruMap } from '../base/limits.ts';
import { publicKeyOf } from './streams.ts';

export interface IdleOptions {
  readonly idleMs: number;
  readonly list: () => readonly Connection[];
}

/**
 * Pings, and streams that have no protocol yet. libp2p sends the pings at moments at which sweeps
 * are due as well, and over a long line one takes long enough to be seen by them all.
 */
const ownProtocols: ReadonlySet<string> = new Set(['', '/ipfs/ping/1.0.0']);

export class IdleCloser {
  readonly #world: World;
  readonly #options: IdleOptions;
  readonly #idleSince = new WeakMap<Connection, number>();
  /** By key. BOUNDED by its size. */
  readonly #usedMs = new LruMap<string, number>(256);
  #cancel: CancelTimer | undefined;

  constructor(world: World, options: IdleOptions) {
    this.#world = world;
    this.#options = options;
  }

  start(): void {
    this.#cancel = this.#world.timers.after(this.#options.idleMs / 4, () => {
      this.sweep();
      this.start();
    });
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** Something came of that peer on a connection that is none of these. */
  noteUse(publicKey: Bytes): void {
    this.#usedMs.set(toHex(publicKey), this.#world.clock.monotonicMs());
  }

  sweep(): void {
    const now = this.#world.clock.monotonicMs();
    const all = this.#options.list();
    const busy = new Set(all.filter(isUsed).map(nameOf)); // BOUNDED by the connections
    for (const connection of all) {
      const { streams, limits } = connection;
      // One that is used may belong to a thread of the peer that serves nothing.
      const isNeeded = limits === undefined && busy.has(nameOf(connection));
      if (isNeeded || isUsed(connection)) {
        this.#idleSince.delete(connection);
        continue;
      }
      const usedMs = this.#usedMs.peek(nameOf(connection)) ?? -Infinity;
      const since = Math.max(this.#idleSince.get(connection) ?? now, usedMs);
      this.#idleSince.set(connection, since);
      if (streams.length > 0) continue; // the next sweep will find it without
      // A connection that fails to close is one that is gone.
      if (now - since >= this.#options.idleMs) connection.close().catch(() => undefined);
    }
  }
}

function isUsed({ streams }: Connection): boolean {
  return streams.some(({ protocol }) => !ownProtocols.has(protocol));
}

function nameOf(connection: Connection): string {
  return toHex(publicKeyOf(connection));
}
