/**
 * What a node does for its next run, and after a change of its addresses, while it runs: it notes
 * whom it met, and announces what it provides under the new addresses. Knows no formats.
 */
import { AltNetError } from '../base/errors.ts';
import type { World } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { repeat } from '../dht/loops.ts';
import type { TableView } from '../dht/table/table.ts';
import type { Contact } from '../identity/contact.ts';
import type { NoteStore } from '../store/notes.ts';
import { areAnnounced, noteAnnounced, rememberPeers } from './memory.ts';

export interface UpkeepDeps {
  readonly notes: Pick<NoteStore, 'get' | 'put'>;
  readonly table: Pick<TableView, 'entries'>;
  /** Multiaddrs under which others connect to this node. */
  readonly addresses: () => readonly string[];
  /** Announces all that this node provides. */
  readonly reprovide: (options: { readonly signal: AbortSignal }) => Promise<void>;
  readonly world: World;
  readonly log: Logger;
}

const intervalMs = 60_000;

export class Upkeep {
  readonly #deps: UpkeepDeps;
  readonly #stopping = new AbortController();
  #loops: Promise<unknown> | undefined;

  constructor(deps: UpkeepDeps) {
    this.#deps = deps;
  }

  start(): void {
    const { world, log } = this.#deps;
    const context = { timers: world.timers, log, signal: this.#stopping.signal };
    let announceMs = 0; // at once, for a change since the last run
    this.#loops ??= Promise.all([
      repeat(
        { name: 'remember peers', delayMs: () => intervalMs, run: () => this.#remember() },
        context,
      ),
      repeat(
        {
          name: 'announce again',
          delayMs: () => {
            const delayMs = announceMs;
            announceMs = intervalMs;
            return delayMs;
          },
          run: (signal) => this.#announce(signal),
        },
        context,
      ),
    ]);
  }

  /** Notes the peers of the end; a full disk is not worth an error then. */
  async stop(): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    this.#stopping.abort(new AltNetError('ABORTED', {}));
    await this.#loops;
    try {
      await this.#remember();
    } catch (error) {
      this.#deps.log.warn('peers could not be remembered', { why: String(error) });
    }
  }

  async #remember(): Promise<void> {
    const { notes, table } = this.#deps;
    const latestFirst = table.entries().toSorted((a, b) => b.seenMs - a.seenMs);
    await rememberPeers(
      notes,
      latestFirst.map(({ contact }): Contact => contact),
    );
  }

  async #announce(signal: AbortSignal): Promise<void> {
    const { notes, addresses, reprovide } = this.#deps;
    const present = addresses();
    // Without any, this node is off the network for a moment; there is nothing to say.
    if (present.length === 0 || areAnnounced(notes, present)) return;
    await reprovide({ signal });
    await noteAnnounced(notes, present);
  }
}
