/**
 * The people of a long simulation: nodes that come and go, and what each of them publishes and
 * keeps alive. It knows which records must still be there, for whoever asks what was lost.
 */
import { type Bytes, equalBytes } from '../src/base/bytes.ts';
import { SigningKey } from '../src/identity/key.ts';
import type { SignedRecord } from '../src/record/envelope.ts';
import type { SimNode } from './node.ts';
import { sampleOf, type SimKind, zoneNameOf } from './samples.ts';
import type { Simulation } from './simulation.ts';

export type ItemKind = SimKind | 'zone-name';

/** Who published something. */
export interface Owner {
  readonly authorId: Bytes;
  /** Undefined once it left: nothing keeps a node that is gone. */
  node: SimNode | undefined;
}

/** Something published, under a label of its own. */
export interface Item {
  readonly kind: ItemKind;
  readonly label: string;
  /** As it was first published: its publisher may have renewed it since. */
  readonly record: SignedRecord;
  readonly owner: Owner;
  /** What it was seen to say, newest first. BOUNDED by keptMax */
  versions: readonly SignedRecord[];
  /** Virtual milliseconds when it was first offered to one that took it; undefined before. */
  publishedMs: number | undefined;
}

/** What one node publishes: of ten, one name, four links and five providers. */
const mixture: readonly ItemKind[] = [
  'name',
  'link',
  'provider',
  'provider',
  'link',
  'provider',
  'link',
  'provider',
  'provider',
  'link',
];

/** Versions of one record that are remembered: two are alive at most. */
const keptMax = 3;
const dayMs = 24 * 3_600_000;
/** Shorter than what it takes to evict who is cut off, so that tables keep them. */
const cutOffMs = 10 * 60_000;

export class Population {
  readonly registrar: SigningKey;
  readonly #sim: Simulation;
  readonly #perNode: number;
  /** By kind, what is published and by whom, those that left included. BOUNDED by the run */
  readonly #items = new Map<ItemKind, Item[]>();
  readonly #owners = new Map<SimNode, Owner>(); // BOUNDED by the nodes
  readonly #cutOff = new Set<SimNode>(); // BOUNDED by the nodes
  #labels = 0;
  #stopped = false;
  /** Nodes that were replaced so far. */
  replaced = 0;

  constructor(sim: Simulation, { recordsPerNode }: { recordsPerNode: number }) {
    this.#sim = sim;
    this.#perNode = recordsPerNode;
    this.registrar = new SigningKey('author', sim.random.bytes(32));
  }

  /** Everybody publishes, each at a moment of its own within `withinMs`. */
  publishAll(withinMs: number): void {
    const { world, random, nodes } = this.#sim;
    for (const node of nodes) {
      world.schedule(random.fraction() * withinMs, () => void this.#publish(node));
    }
  }

  /** From now on nodes are replaced at random moments, `perDay` of all in a day. */
  beginChurn(perDay: number): void {
    if (perDay <= 0) return;
    const { world, random, nodes } = this.#sim;
    const meanMs = dayMs / (perDay * nodes.length);
    const next = (): void => {
      if (this.#stopped) return;
      void this.#replaceOne();
      world.schedule(-meanMs * Math.log(1 - random.fraction()), next);
    };
    world.schedule(-meanMs * Math.log(1 - random.fraction()), next);
  }

  /** From now on so large a share of the nodes is cut off at any moment, each for ten minutes. */
  beginOutages(share: number): void {
    if (share <= 0) return;
    const { world, nodes } = this.#sim;
    const next = (): void => {
      if (this.#stopped) return;
      this.cutOff(this.#sim.one());
      world.schedule(cutOffMs / (share * nodes.length), next);
    };
    next();
  }

  /** For ten minutes; one that is cut off already is back no later for that. */
  cutOff(node: SimNode): void {
    if (this.#cutOff.has(node)) return;
    const { world, network } = this.#sim;
    this.#cutOff.add(node);
    network.cutOff(node.contact, true);
    world.schedule(cutOffMs, () => {
      this.#cutOff.delete(node);
      network.cutOff(node.contact, false);
    });
  }

  /** A node that is not cut off, by lot: one whose user can look something up. */
  user(): SimNode {
    for (;;) {
      const node = this.#sim.one();
      if (!this.#cutOff.has(node)) return node;
    }
  }

  isCutOff(node: SimNode): boolean {
    return this.#cutOff.has(node);
  }

  endChurn(): void {
    this.#stopped = true;
  }

  /** One of those published for a while, by lot; undefined when there is none yet. */
  draw(kind: ItemKind, olderThanMs: number): Item | undefined {
    const { random, world } = this.#sim;
    const items = this.#items.get(kind) ?? [];
    for (let i = 0; i < 100 && items.length > 0; i++) {
      const item = items[random.below(items.length)];
      if (!item || !this.mustBeThere(item)) continue;
      if (world.nowMs - (item.publishedMs ?? world.nowMs) >= olderThanMs) return item;
    }
    return undefined;
  }

  /**
   * Whether the rules promise it: names and links outlive who published them, providers go with
   * their node. Only what another node ever took counts: a copy of its publisher's own goes with it.
   */
  mustBeThere(item: Item): boolean {
    const { kind, owner, record } = item;
    const tries = owner.node?.tries.of(record.key) ?? [];
    item.publishedMs ??= tries.find(({ holders }) => holders.length > 0)?.atMs;
    return item.publishedMs !== undefined && (kind !== 'provider' || owner.node !== undefined);
  }

  /** Nodes that hold what an item says by now. */
  holdersOf(item: Item): number {
    const [newest] = this.versionsOf(item);
    return newest ? this.#sim.holdings.holdersOf(newest) : 0;
  }

  /** Those of them that others can reach: who is cut off keeps its copy for itself. */
  reachableHolders(record: SignedRecord): number {
    const all = this.#sim.holdings.holdersOf(record);
    if (all === 0 || all > this.#cutOff.size) return all;
    const isHeldBy = ({ records }: SimNode): boolean =>
      records.list(record.key).some((stored) => equalBytes(stored.record.hash, record.hash));
    return all - [...this.#cutOff].filter(isHeldBy).length;
  }

  /** Newest first; what its publisher signed since the last call is noted. */
  versionsOf(item: Item): readonly SignedRecord[] {
    const { owner, versions } = item;
    const published = owner.node?.publisher.under(item.record.key) ?? [];
    const newest = published.find(({ record }) => record.kind === item.record.kind)?.record;
    if (newest && newest !== versions[0]) item.versions = [newest, ...versions].slice(0, keptMax);
    return item.versions;
  }

  items(): readonly Item[] {
    return [...this.#items.values()].flat();
  }

  async #replaceOne(): Promise<void> {
    const { nodes, random } = this.#sim;
    const at = random.below(nodes.length);
    const [leaving] = nodes.splice(at, 1);
    if (!leaving) return;
    this.replaced++;
    const owner = this.#owners.get(leaving);
    if (owner) owner.node = undefined;
    this.#owners.delete(leaving);
    await leaving.leave();
    await this.#publish(await this.#sim.join());
  }

  async #publish(node: SimNode): Promise<void> {
    if (this.#perNode === 0) return;
    const owner: Owner = { authorId: node.authorKey.id, node };
    this.#owners.set(node, owner);
    await node.publisher.start();
    for (let i = 0; i < this.#perNode && owner.node; i++) {
      const item = this.#make(mixture[i % mixture.length] ?? 'link', { node, owner });
      const items = this.#items.get(item.kind) ?? [];
      this.#items.set(item.kind, items);
      items.push(item);
      try {
        await node.publisher.publish(item.record);
      } catch {
        return; // the node left meanwhile
      }
    }
  }

  /** Half of the names are in the open zone, half in the registrar's. */
  #make(kind: ItemKind, { node, owner }: { node: SimNode; owner: Owner }): Item {
    const label = `item-${this.#labels++}`;
    const inZone = kind === 'name' && this.#sim.random.fraction() < 0.5;
    const record = inZone
      ? zoneNameOf(this.registrar, { node, label })
      : sampleOf(kind === 'zone-name' ? 'name' : kind, { node, label });
    return {
      kind: inZone ? 'zone-name' : kind,
      label,
      record,
      owner,
      versions: [record],
      publishedMs: undefined,
    };
  }
}
