/** Closes connections that carried no stream for a while. Knows nothing of protocols. */
import type { Connection } from '@libp2p/interface';
import type { CancelTimer, World } from '../base/clock.ts';

export interface IdleOptions {
  readonly idleMs: number;
  readonly list: () => readonly Connection[];
}

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
      if (connection.streams.length > 0) {
        this.#idleSince.delete(connection);
        continue;
      }
      const since = this.#idleSince.get(connection) ?? now;
      this.#idleSince.set(connection, since);
      // A connection that fails to close is one that is gone.
      if (now - since >= this.#options.idleMs) connection.close().catch(() => undefined);
    }
  }
}
