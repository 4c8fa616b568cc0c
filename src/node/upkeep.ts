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
import { AnnouncementPace, type Urgency } from './announcement-pace.ts';
import { announcedAddresses, noteAnnounced, noteReach, rememberPeers } from './memory.ts';

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
/** A node that is killed soon after its start shall have noted whom it met. */
const firstMs = 2000;

export class Upkeep {
  readonly #deps: UpkeepDeps;
  readonly #stopping = new AbortController();
  readonly #changed = new Nudge();
  #loops: Promise<unknown> | undefined;
  readonly #pace: AnnouncementPace;
  /** What is being announced at this moment, and what ends that. */
  #announcing:
    | { readonly addresses: readonly string[]; readonly stop: AbortController }
    | undefined;

  constructor(deps: UpkeepDeps) {
    this.#deps = deps;
    this.#pace = new AnnouncementPace(deps.world.clock);
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
          delayMs: () => this.#pace.waitMs(),
          run: (signal) => this.#announce(signal),
        },
        context,
      ),
    ]);
  }

  /** The addresses have changed: what is provided is announced anew, in seconds. */
  addressesChanged(): void {
    const urgency = this.#urgency();
    if (!urgency) return;
    this.#pace.changed(urgency);
    // What goes out at this moment leads nobody here; it begins anew, the own sites first.
    if (urgency === 'now') this.#announcing?.stop.abort(new AltNetError('ABORTED', {}));
    this.#changed.now();
  }

  /** Undefined when there is nothing to say. */
  #urgency(): Urgency | undefined {
    const present = this.#deps.addresses();
    const said = this.#announcing?.addresses ?? announcedAddresses(this.#deps.notes);
    if (present.length === 0) return undefined;
    if (!present.some((address) => said.includes(address))) return 'now';
    if (present.some((address) => !said.includes(address))) return 'soon';
    return 'later';
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
    const { notes, addresses, reprovide } = this.#deps;
    this.#pace.looked(intervalMs);
    const present = addresses();
    // Without any, this node is off the network for a moment; there is nothing to say.
    if (present.length === 0 || areSame(present, announcedAddresses(notes))) return;
    this.#pace.spend();
    const stop = new AbortController();
    this.#announcing = { addresses: present, stop };
    try {
      await reprovide({ signal: AbortSignal.any([signal, stop.signal]) });
      await noteAnnounced(notes, present);
    } catch (error) {
      if (!stop.signal.aborted) throw error;
    } finally {
      this.#announcing = undefined;
    }
  }
}

function areSame(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((one) => others.includes(one));
}
