/**
 * Asks the network for what was announced while nobody here listened: at the start, after a pause
 * or a change of the network, and again and again. The highest record of several answerers in
 * different networks counts, so that a few who hold back the newest are not enough.
 */
import { prefixOf } from '../base/address.ts';
import { AltNetError } from '../base/errors.ts';
import type { World } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { forEachOf } from '../base/parallel.ts';
import { reasonOf } from '../base/reason.ts';
import { Nudge, repeat } from '../dht/loops.ts';
import { recordKinds } from '../record/kinds.ts';
import { revocationsKey } from '../record/revocations.ts';
import type { Intake } from './intake.ts';
import type { RevokerLists } from './lists.ts';
import type { ListAnswer, ListNetwork } from './ports.ts';
import type { RevokerList } from './revoker-list.ts';

export interface CatchUpDeps {
  readonly lists: RevokerLists;
  readonly intake: Intake;
  readonly network: ListNetwork;
  /** Whether the newest record of a list should have been followed by another one. */
  readonly isStale: (list: RevokerList) => boolean;
  readonly world: World;
  readonly log: Logger;
}

export interface CatchUpOptions {
  /** At least, which is within a minute with the search, and at most. */
  readonly intervalMsMin: number;
  readonly intervalMsMax: number;
  /** In between, for each node of the network: storers are not asked more often when it grows. */
  readonly msPerNode: number;
  /** The same while nobody is there who could be asked, or nobody answered. */
  readonly lonelyMs: number;
}

export const catchUpDefaults: CatchUpOptions = {
  intervalMsMin: 40_000,
  intervalMsMax: 10 * 60_000,
  msPerNode: 80,
  lonelyMs: 3000,
};

const asksAtOnce = 4;
/** Networks that must have answered before a search may end early. */
const networksMin = 5;
const idleMs = 3_600_000;

export class CatchUp {
  readonly #deps: CatchUpDeps;
  readonly #options: CatchUpOptions;
  readonly #stopping = new AbortController();
  readonly #nudge = new Nudge();
  #isDue = true;
  #wasHeard = false;
  #rounds = 0;
  #loop: Promise<void> | undefined;

  constructor(deps: CatchUpDeps, options: Partial<CatchUpOptions> = {}) {
    this.#deps = deps;
    this.#options = { ...catchUpDefaults, ...options };
  }

  /** Rounds that somebody answered in, since the start. */
  get rounds(): number {
    return this.#rounds;
  }

  start(): void {
    const { world, log } = this.#deps;
    const context = { timers: world.timers, log, signal: this.#stopping.signal };
    this.#loop ??= repeat(
      {
        name: 'ask for revocations',
        delayMs: () => this.#untilAsking(),
        run: (signal) => this.#askForAll(signal),
        nudge: this.#nudge,
      },
      context,
    );
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new AltNetError('ABORTED', {}));
    await this.#loop;
  }

  /** Something may have been missed, or somebody else is trusted now. */
  wake(): void {
    this.#isDue = true;
    this.#nudge.now();
  }

  /** The newest record of one revoker; how many answered. Rejects when `signal` aborts. */
  async ask(revoker: Uint8Array, signal: AbortSignal): Promise<number> {
    const { network, intake, lists, isStale } = this.#deps;
    const list = lists.get(revoker);
    // Where the newest seems to be held back, everybody is asked who might have it.
    const isThorough = list?.record === undefined || isStale(list);
    const kind = recordKinds.revocations;
    const enough = isThorough ? undefined : areDiverse;
    let answered = 0;
    for await (const { from, records } of network.gather(revocationsKey(revoker), {
      kind,
      enough,
      signal,
    })) {
      if (from !== 'self') answered++;
      for (const record of records) await intake.offerRecord(record, 'asked');
    }
    return answered;
  }

  #untilAsking(): number {
    const { network, lists } = this.#deps;
    const { lonelyMs } = this.#options;
    if (lists.all().length === 0) return idleMs; // woken when somebody is trusted
    if (network.table.size === 0) return lonelyMs;
    if (this.#isDue) return 0;
    if (!this.#wasHeard) return lonelyMs;
    return this.#intervalMs();
  }

  /**
   * Who is told by nobody learns it by asking, and in a small network few may trust a revoker: the
   * others pass nothing on. In a large one that asked as often, storers would do little else.
   */
  #intervalMs(): number {
    const { network, world } = this.#deps;
    const { intervalMsMin, intervalMsMax, msPerNode } = this.#options;
    const wanted = network.networkSize() * msPerNode;
    const intervalMs = Math.min(Math.max(wanted, intervalMsMin), intervalMsMax);
    return intervalMs * (0.9 + 0.2 * world.random.fraction());
  }

  async #askForAll(signal: AbortSignal): Promise<void> {
    const { lists, network, log } = this.#deps;
    if (network.table.size === 0) return;
    this.#isDue = false;
    let heard = 0;
    await forEachOf([...lists.all()], asksAtOnce, async ({ revoker }) => {
      try {
        heard += await this.ask(revoker, signal);
      } catch (error) {
        signal.throwIfAborted();
        log.debug('nobody could be asked for revocations', { why: reasonOf(error) });
      }
    });
    this.#wasHeard = heard > 0;
    if (heard > 0) this.#rounds++;
  }
}

/** Nodes of one network may be one liar. */
function areDiverse(soFar: readonly ListAnswer[]): boolean {
  const networks = soFar.flatMap(({ from }) =>
    from === 'self' ? [] : [prefixOf(from.endpoint.ip, 'narrow')],
  );
  return new Set(networks).size >= networksMin;
}
