/** A whole simulated network: many nodes, and what an all-knowing observer can say of them. */
import type { Bytes } from '../src/base/bytes.ts';
import { compareDistance } from '../src/dht/distance.ts';
import type { DhtOptions } from '../src/dht/dht.ts';
import type { Contact } from '../src/identity/contact.ts';
import { type AddressPlan, Addresses } from './addresses.ts';
import { Holdings } from './holdings.ts';
import { SimNetwork, simNetworkDefaults, type SimNetworkOptions } from './network.ts';
import { SharedReader } from './shared-reader.ts';
import { SimNode } from './node.ts';
import type { SeededRandom } from './random.ts';
import { introduceAll } from './warm.ts';
import { SimWorld } from './world.ts';

export interface SimOptions extends SimNetworkOptions {
  readonly seed: number;
  readonly nodes: number;
  /** Between two nodes that join. */
  readonly joinIntervalMs: number;
  readonly addresses: AddressPlan;
  /** Nobody joins: all start with the tables that they would have after a while. */
  readonly warm: boolean;
  readonly dht: Partial<DhtOptions>;
}

export interface JoinOptions {
  /** Clients ask, but hold nothing and enter no table. */
  readonly server?: boolean;
  /** How wrong its clock is. */
  readonly clockOffsetMs?: number;
  /** Through whom it joins; left out: two by lot. */
  readonly seeds?: readonly Contact[];
  /** Other than what all do. */
  readonly dht?: Partial<DhtOptions>;
}

const seedsPerNode = 2;

export class Simulation {
  readonly world: SimWorld;
  readonly network: SimNetwork;
  readonly random: SeededRandom;
  readonly holdings: Holdings = new Holdings();
  readonly nodes: SimNode[] = [];
  readonly #options: SimOptions;
  readonly #addresses: Addresses;
  readonly #reader = new SharedReader();

  constructor(options: Partial<SimOptions> & Pick<SimOptions, 'seed' | 'nodes'>) {
    this.#options = {
      ...simNetworkDefaults,
      joinIntervalMs: 100,
      addresses: 'apart',
      warm: false,
      dht: {},
      ...options,
    };
    this.world = new SimWorld(options.seed);
    this.random = this.world.random.fork();
    this.network = new SimNetwork(this.world, { ...this.#options, nodesMax: options.nodes });
    this.#addresses = new Addresses(this.#options.addresses, this.random.fork());
  }

  /** Starts all nodes, each through two that are there already, and waits until they have joined. */
  async start(onDone?: (share: number) => void): Promise<void> {
    const { nodes, joinIntervalMs, warm } = this.#options;
    if (warm) return this.#startWarm();
    const joins: Promise<unknown>[] = [];
    for (let i = 0; i < nodes; i++) {
      joins.push(this.join());
      await this.world.pass(joinIntervalMs);
      if (i % 100 === 0) onDone?.(i / nodes);
    }
    await this.world.until(Promise.all(joins));
  }

  /** One more node; resolves with it when it has joined. */
  async join(options: JoinOptions = {}): Promise<SimNode> {
    const seeds = options.seeds ?? this.some(seedsPerNode).map(({ contact }) => contact);
    const node = this.#make(options);
    await node.dht.start();
    await node.dht.join(seeds);
    return node;
  }

  #make({ server = true, clockOffsetMs = 0, dht = {} }: JoinOptions = {}): SimNode {
    const node = new SimNode({
      ip: this.#addresses.take(),
      world: this.world.forNode({ clockOffsetMs }),
      network: this.network,
      holdings: this.holdings,
      reader: this.#reader,
      options: { ...this.#options.dht, ...dht },
      server,
    });
    if (server) this.nodes.push(node);
    return node;
  }

  async #startWarm(): Promise<void> {
    for (let i = 0; i < this.#options.nodes; i++) this.#make();
    introduceAll(this.nodes, this);
    await Promise.all(this.nodes.map(({ dht }) => dht.start()));
  }

  /** An address that nobody has yet. */
  takeAddress(): Bytes {
    return this.#addresses.take();
  }

  /** `count` different nodes, by lot; fewer when there are fewer. */
  some(count: number): SimNode[] {
    const { nodes, random } = this;
    // Draws of those drawn before are repeated, unless there would be too many of them.
    if (count > nodes.length / 2) return shuffled(nodes, random).slice(0, count);
    const drawn = new Set<number>();
    while (drawn.size < count) drawn.add(random.below(nodes.length));
    return [...drawn].map((at) => nodes[at]).filter((node) => node !== undefined);
  }

  /** One node, by lot. */
  one(): SimNode {
    const [node] = this.some(1);
    if (!node) throw new Error('the network is empty');
    return node;
  }

  /** A share of the nodes goes at once. */
  async leave(share: number): Promise<void> {
    const leaving = new Set(this.some(Math.floor(this.nodes.length * share)));
    const staying = this.nodes.filter((node) => !leaving.has(node));
    this.nodes.splice(0, this.nodes.length, ...staying);
    await this.world.until(Promise.all([...leaving].map((node) => node.leave())));
  }

  /** The nodes nearest to `key` of all that are there. */
  closest(key: Bytes, count: number): readonly SimNode[] {
    return this.nodes
      .toSorted((a, b) => compareDistance(key, a.contact.id, b.contact.id))
      .slice(0, count);
  }

  async stop(): Promise<void> {
    await this.world.until(Promise.all(this.nodes.map((node) => node.leave())));
  }
}

/** Fisher and Yates. */
function shuffled<T>(items: readonly T[], random: SeededRandom): T[] {
  const left = [...items];
  const order: T[] = [];
  while (left.length > 0) order.push(...left.splice(random.below(left.length), 1));
  return order;
}
