/**
 * Closes connections that carried no stream for a while. Of protocols it knows only which one
 * libp2p itself speaks all the time.
 */
import type { Connection } from '@libp2p/interface';
import type { CancelTimer, World } from '../base/clock.ts';

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

  sweep(): void {
    const now = this.#world.clock.monotonicMs();
    for (const connection of this.#options.list()) {
      const { streams } = connection;
      if (streams.some(({ protocol }) => !ownProtocols.has(protocol))) {
        this.#idleSince.delete(connection);
        continue;
      }
      const since = this.#idleSince.get(connection) ?? now;
      this.#idleSince.set(connection, since);
      if (streams.length > 0) continue; // the next sweep will find it without
      // A connection that fails to close is one that is gone.
      if (now - since >= this.#options.idleMs) connection.close().catch(() => undefined);
    }
  }
}
