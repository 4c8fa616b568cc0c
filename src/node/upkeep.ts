/**
 * What a node does for its next run, and after a change of its addresses, while it runs: it notes
 * whom it met, and announces what it provides under the new addresses. Knows no formats.
 */
import type { Endpoint } from '../base/address.ts';
import { AltNetError } from '../base/errors.ts';
import type { World } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { reasonOf } from '../base/reason.ts';
import { Nudge, repeat } from '../dht/loops.ts';
import type { TableView } from '../dht/table/table.ts';
import type { Contact } from '../identity/contact.ts';
import type { NoteStore } from '../store/notes.ts';
import { areAnnounced, noteAnnounced, noteReach, rememberPeers } from './memory.ts';

export interface UpkeepDeps {
  readonly notes: Pick<NoteStore, 'get' | 'put'>;
  readonly table: Pick<TableView, 'entries'>;
  /** Contacts that were lost sight of. */
  readonly lost: () => readonly Contact[];
  /** Where strangers reach this node now. */
  readonly reachableAt: () => readonly Endpoint[];
  /** Multiaddrs under which others connect to this node. */
  readonly addresses: () => readonly string[];
  /** Announces all that this node provides. */
  readonly reprovide: (options: { readonly signal: AbortSignal }) => Promise<void>;
  readonly world: World;
  readonly log: Logger;
}

const intervalMs = 60_000;
/**
 * Two changes that come so soon after one another, as of two relays, are announced as one. While
 * they go on the time grows: whoever makes them shall not have this node send all that it provides.
 */
const settleMinMs = 10_000;
const settleMaxMs = 60_000;
const calmMs = 5 * 60_000;
/** A node that is killed soon after its start shall have noted whom it met. */
const firstMs = 2000;

export class Upkeep {
  readonly #deps: UpkeepDeps;
  readonly #stopping = new AbortController();
  readonly #changed = new Nudge();
  #loops: Promise<unknown> | undefined;
  /** When the next look at the addresses is due, on the monotonic clock. */
  #announceMs = 0;
  #announcedMs = Number.NEGATIVE_INFINITY;
  #settleMs = settleMinMs;

  constructor(deps: UpkeepDeps) {
    this.#deps = deps;
  }

  start(): void {
    const { world, log } = this.#deps;
    const context = { timers: world.timers, log, signal: this.#stopping.signal };
    let rememberMs = firstMs / 2;
    const untilRemember = (): number => (rememberMs = Math.min(2 * rememberMs, intervalMs));
    this.#loops ??= Promise.all([
      repeat(
        { name: 'remember peers', delayMs: untilRemember, run: () => this.#remember() },
        context,
      ),
      repeat(
        {
          name: 'announce again',
          nudge: this.#changed,
          // At first at once, for a change since the last run.
          delayMs: () => Math.max(0, this.#announceMs - world.clock.monotonicMs()),
          run: (signal) => this.#announce(signal),
        },
        context,
      ),
    ]);
  }

  /** The addresses have changed: what is provided is announced anew, in seconds. */
  addressesChanged(): void {
    this.#announceMs = this.#announcedMs + this.#settleMs;
    this.#changed.now();
  }

  /** Notes the peers of the end; a full disk is not worth an error then. */
  async stop(): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    this.#stopping.abort(new AltNetError('ABORTED', {}));
    await this.#loops;
    try {
      await this.#remember();
    } catch (error) {
      this.#deps.log.warn('peers could not be remembered', { why: reasonOf(error) });
    }
  }

  async #remember(): Promise<void> {
    const { notes, table, lost, reachableAt, world } = this.#deps;
    const latestFirst = table.entries().toSorted((a, b) => b.seenMs - a.seenMs);
    const met = latestFirst.map(({ contact }): Contact => contact);
    await rememberPeers(notes, met, lost());
    await noteReach(notes, reachableAt(), world.clock.unixMs());
  }

  async #announce(signal: AbortSignal): Promise<void> {
    const { notes, addresses, reprovide, world } = this.#deps;
    this.#announceMs = world.clock.monotonicMs() + intervalMs;
    const present = addresses();
    // Without any, this node is off the network for a moment; there is nothing to say.
    if (present.length === 0 || areAnnounced(notes, present)) return;
    const nowMs = world.clock.monotonicMs();
    const isCalm = nowMs - this.#announcedMs >= calmMs;
    this.#settleMs = isCalm ? settleMinMs : Math.min(2 * this.#settleMs, settleMaxMs);
    this.#announcedMs = nowMs;
    await reprovide({ signal });
    await noteAnnounced(notes, present);
  }
}
