/**
 * What users would notice: names resolved and links found, by nodes drawn by lot, through the
 * production modules, each with how long it took in virtual time.
 */
import { equalBytes } from '../src/base/bytes.ts';
import { isAltNetError } from '../src/base/errors.ts';
import { silentLogger } from '../src/base/logger.ts';
import { Links } from '../src/link/links.ts';
import { Names } from '../src/name/names.ts';
import { MemoryNotes } from '../test/support/link-net.ts';
import { MemoryNameNotes } from '../test/support/name-net.ts';
import { simNetworkId, type SimNode, simProfile } from './node.ts';
import type { Item, Population } from './population.ts';
import { linkUrlOf, rootOf } from './samples.ts';
import type { Simulation } from './simulation.ts';
import { SearchWatch } from './watch.ts';

/** One look-up; `ms` is undefined when it failed. */
export interface Sample {
  readonly kind: SampleKind;
  /** Virtual milliseconds when it began. */
  readonly atMs: number;
  readonly ms: number | undefined;
  /** What went wrong, in a word. */
  readonly why: string | undefined;
  /** To the first answer with a record. */
  readonly hops: number | undefined;
  readonly requests: number;
}

export const sampleKinds = [
  'open name, never seen',
  'open name, pinned',
  'zone name, never seen',
  'name that nobody has',
  'link, first result',
  'link, complete',
] as const;
export type SampleKind = (typeof sampleKinds)[number];

/** What was published so lately is not looked for: it may not be where it belongs yet. */
const settledMs = 60_000;

export class Sampling {
  readonly samples: Sample[] = []; // BOUNDED by the run
  readonly #sim: Simulation;
  readonly #population: Population;
  /** How long a name is left alone before the node that resolved it does so again. */
  readonly #againMs: number;
  #stopped = false;

  constructor(sim: Simulation, population: Population, { againMs }: { againMs: number }) {
    this.#sim = sim;
    this.#population = population;
    this.#againMs = againMs;
  }

  /** One look-up of every kind in each interval. */
  begin(intervalMs: number): void {
    const { world, random } = this.#sim;
    const next = (): void => {
      if (this.#stopped) return;
      world.schedule(random.fraction() * intervalMs, () => void this.#openName());
      world.schedule(random.fraction() * intervalMs, () => void this.#zoneName());
      world.schedule(random.fraction() * intervalMs, () => void this.#noName());
      world.schedule(random.fraction() * intervalMs, () => void this.#link());
      world.schedule(intervalMs, next);
    };
    next();
  }

  end(): void {
    this.#stopped = true;
  }

  async #openName(): Promise<void> {
    const item = this.#population.draw('name', settledMs);
    if (!item) return;
    const node = this.#population.user();
    const notes = new MemoryNameNotes();
    await this.#resolve(item, { node, notes, kind: 'open name, never seen' });
    this.#sim.world.schedule(this.#againMs, () => {
      if (this.#stopped || !this.#sim.nodes.includes(node)) return;
      if (this.#population.isCutOff(node)) return;
      void this.#resolve(item, { node, notes, kind: 'open name, pinned' });
    });
  }

  async #zoneName(): Promise<void> {
    const item = this.#population.draw('zone-name', settledMs);
    const node = this.#population.user();
    const notes = new MemoryNameNotes();
    if (item) await this.#resolve(item, { node, notes, kind: 'zone name, never seen' });
  }

  async #noName(): Promise<void> {
    const node = this.#population.user();
    const label = `nobody-${this.#sim.random.below(2 ** 31)}`;
    const names = namesOf(node, { notes: new MemoryNameNotes(), zones: [] });
    const beganMs = this.#sim.world.nowMs;
    const state = await names.resolve(label).then((found) => found.state, codeOf);
    const why = state === 'not-found' ? undefined : state;
    this.#note('name that nobody has', { beganMs, why, watch: undefined });
    await names.stop();
  }

  async #resolve(
    { label, record, kind: itemKind }: Item,
    { node, notes, kind }: { node: SimNode; notes: MemoryNameNotes; kind: SampleKind },
  ): Promise<void> {
    const zones = itemKind === 'zone-name' ? [this.#population.registrar.publicKey] : [];
    const names = namesOf(node, { notes, zones });
    const watch = new SearchWatch(record.key);
    node.transport.watch = watch;
    const beganMs = this.#sim.world.nowMs;
    const why = await names
      .resolve(label)
      .then(
        ({ state, root }) =>
          (state === 'ok' || state === 'new') && root?.equals(rootOf(label)) === true
            ? undefined
            : state,
        codeOf,
      );
    this.#note(kind, { beganMs, why, watch });
    await names.stop();
  }

  async #link(): Promise<void> {
    const item = this.#population.draw('link', settledMs);
    if (!item) return;
    const node = this.#population.user();
    const watch = new SearchWatch(item.record.key);
    node.transport.watch = watch;
    const beganMs = this.#sim.world.nowMs;
    const answers = linksOf(node).get(linkUrlOf(item.label));
    let found = 0;
    try {
      for await (const { publisher } of answers) {
        if (equalBytes(publisher, item.owner.authorId) && ++found === 1) {
          this.#note('link, first result', { beganMs, why: undefined, watch });
        }
      }
      if (found === 0) this.#note('link, first result', { beganMs, why: 'not-found', watch });
      const why = found > 0 ? undefined : 'not-found';
      this.#note('link, complete', { beganMs, why, watch });
    } catch (error) {
      this.#note('link, complete', { beganMs, why: codeOf(error), watch });
    }
  }

  #note(
    kind: SampleKind,
    {
      beganMs,
      why,
      watch,
    }: { beganMs: number; why: string | undefined; watch?: SearchWatch | undefined },
  ): void {
    // Who asks may be switched off meanwhile: that says nothing about the network.
    if (this.#stopped || why === 'ABORTED') return;
    const ms = why === undefined ? this.#sim.world.nowMs - beganMs : undefined;
    const { hops, requests = 0 } = watch ?? {};
    this.samples.push({ kind, atMs: beganMs, ms, why, hops, requests });
  }
}

function codeOf(error: unknown): string {
  return isAltNetError(error) ? error.code : String(error);
}

function readZoneFile(): Promise<never> {
  return Promise.reject(new Error('no name has a zone file here'));
}

/** Publishes nothing: only looks. */
function readerOf({ dht, world, authorKey }: SimNode) {
  const log = silentLogger;
  const publisher = {
    publish: () => Promise.reject(new Error('a reader publishes nothing')),
    withdraw: () => Promise.reject(new Error('a reader withdraws nothing')),
    list: () => [],
    under: () => [],
    approach: () => {
      throw new Error('readers publish nothing');
    },
  };
  return { dht, world, authorKey, publisher, profile: simProfile, log };
}

function namesOf(
  node: SimNode,
  { notes, zones }: { notes: MemoryNameNotes; zones: readonly Uint8Array[] },
): Names {
  const deps = { ...readerOf(node), notes, network: simNetworkId, readZoneFile };
  return new Names(deps, { trustedZones: () => zones });
}

function linksOf(node: SimNode): Links {
  return new Links({ ...readerOf(node), notes: new MemoryNotes() });
}
