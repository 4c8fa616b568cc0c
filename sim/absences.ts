/**
 * Records whose newest version nobody holds who can be reached: since when, and why. It looks once
 * a minute of virtual time, and tells three cases apart:
 *
 *   lost     nobody holds any version: what was published is gone
 *   unheard  others hold the version before, and the publisher is cut off or gone with its new one
 *   late     others hold the version before, and the publisher could hand out its new one by now
 */
import type { Contact } from '../src/identity/contact.ts';
import type { Item, Population } from './population.ts';
import type { Simulation } from './simulation.ts';

export type Cause = 'lost' | 'unheard' | 'late';
export const causes: readonly Cause[] = ['lost', 'unheard', 'late'];

export interface CauseCounts {
  /** At the last look. */
  readonly now: number;
  /** At any look. */
  readonly most: number;
  /** Looks in a row at which the same record was absent for this cause. */
  readonly longest: number;
}

interface Absence {
  cause: Cause;
  /** Looks in a row. */
  looks: number;
}

/** Sentences that are kept: the first ones, of each cause. */
const explainedMax = 20;

export class Absences {
  readonly #sim: Simulation;
  readonly #population: Population;
  readonly #absent = new Map<Item, Absence>(); // BOUNDED by the items
  readonly #counts = new Map<Cause, CauseCounts>(); // BOUNDED by the causes
  readonly #explained = new Map<Cause, string[]>(); // BOUNDED by the causes and explainedMax

  constructor(sim: Simulation, population: Population) {
    this.#sim = sim;
    this.#population = population;
  }

  countsOf(cause: Cause): CauseCounts {
    return this.#counts.get(cause) ?? { now: 0, most: 0, longest: 0 };
  }

  /** What happened to the first ones that were lost or late, a sentence for each. */
  explanations(cause: Cause): readonly string[] {
    return this.#explained.get(cause) ?? [];
  }

  look(): void {
    const now = new Map<Cause, number>(); // BOUNDED by the causes
    const longest = new Map<Cause, number>(); // BOUNDED by the causes
    for (const item of this.#population.items()) {
      const cause = this.#causeOf(item);
      if (cause === undefined) {
        this.#absent.delete(item);
        continue;
      }
      const before = this.#absent.get(item);
      const looks = before?.cause === cause ? before.looks + 1 : 1;
      this.#absent.set(item, { cause, looks });
      now.set(cause, (now.get(cause) ?? 0) + 1);
      longest.set(cause, Math.max(looks, longest.get(cause) ?? 0));
      if (looks === 1) this.#explain(item, cause);
    }
    for (const cause of causes) {
      const before = this.countsOf(cause);
      const count = now.get(cause) ?? 0;
      this.#counts.set(cause, {
        now: count,
        most: Math.max(before.most, count),
        longest: Math.max(before.longest, longest.get(cause) ?? 0),
      });
    }
  }

  #causeOf(item: Item): Cause | undefined {
    const population = this.#population;
    if (!population.mustBeThere(item)) return undefined;
    const [newest, ...earlier] = population.versionsOf(item);
    if (newest && population.reachableHolders(newest) > 0) return undefined;
    if (!earlier.some((version) => population.reachableHolders(version) > 0)) return 'lost';
    const { node } = item.owner;
    return !node || population.isCutOff(node) ? 'unheard' : 'late';
  }

  #explain(item: Item, cause: Cause): void {
    const lines = this.#explained.get(cause) ?? [];
    this.#explained.set(cause, lines);
    if (lines.length >= explainedMax) return;
    const { kind, label, owner } = item;
    const [newest, ...earlier] = this.#population.versionsOf(item);
    const tried = (newest && owner.node?.tries.of(newest.key)) ?? [];
    const tries = tried.map(
      ({ atMs, version, asked, holders }) =>
        `v${version} at ${hoursOf(atMs)} (${holders.length} of ${asked})`,
    );
    const before = earlier.map(
      (version) => `v${version.seq} by ${this.#population.reachableHolders(version)}`,
    );
    lines.push(
      [
        `${kind} ${label} v${newest?.seq ?? '?'} at ${hoursOf(this.#sim.world.nowMs)}: ${cause}`,
        `publisher ${this.#stateOf(item)}`,
        `stored ${tries.join(', ') || 'never'}`,
        `last holders: ${this.#fates(tried.at(-1)?.holders ?? [])}`,
        `held: ${before.join(', ') || 'nothing before'}`,
      ].join('; '),
    );
  }

  #stateOf({ owner: { node } }: Item): string {
    if (!node) return 'gone';
    const contacts = `${node.dht.table.size} contacts`;
    return `${this.#population.isCutOff(node) ? 'cut off' : 'connected'}, ${contacts}`;
  }

  /** What became of those that took it. */
  #fates(holders: readonly Contact[]): string {
    const fates = new Map<string, number>(); // BOUNDED by three
    for (const contact of holders) {
      const node = this.#sim.nodes.find((other) => other.contact === contact);
      const fate = node ? (this.#population.isCutOff(node) ? 'cut off' : 'there') : 'gone';
      fates.set(fate, (fates.get(fate) ?? 0) + 1);
    }
    return [...fates].map(([fate, count]) => `${count} ${fate}`).join(', ') || 'none';
  }
}

function hoursOf(ms: number): string {
  return `${(ms / 3_600_000).toFixed(3)} h`;
}
