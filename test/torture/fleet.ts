/**
 * Nodes that form a network, and the things that were published in it. It knows how to ask every
 * node for every thing, not what was done to the nodes in between.
 */
import { rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { forEachOf } from '../../src/base/parallel.ts';
import type { Asked } from './by-command.ts';
import { type NodePlan, RunningNode } from './running.ts';
import { type Bench, folderIn } from './scenario.ts';
import { type Digests, difference, digestsOf, writeSite } from './samples.ts';

/** As many starts, or questions, at once as do not make the slowest of them too slow. */
const atOnce = 4;
const patienceMs = 60_000;
/** What one question may take besides, so that many of them do not use up the patience. */
const patienceEachMs = 100;
const pollMs = 250;

/** Something that a node acknowledged, and that every node must find. */
export interface Thing {
  readonly kind: 'name' | 'link' | 'site';
  readonly what: string;
  /** Undefined when it is found as it was published; else what is found instead. */
  look(services: Asked, scratch: string): Promise<string | undefined>;
}

export type Place = Partial<Pick<NodePlan, 'env' | 'host' | 'listen'>>;

export class Fleet implements AsyncDisposable {
  readonly bench: Bench;
  /** Also those that are dead. */
  readonly nodes: RunningNode[] = [];
  readonly things: Thing[] = [];
  readonly #options: readonly string[];
  readonly #placeOf: (name: string) => Place;
  #count = 0;

  constructor(
    bench: Bench,
    {
      options = [],
      placeOf = () => ({}),
    }: {
      readonly options?: readonly string[];
      /** Where the node of this name runs. */
      readonly placeOf?: (name: string) => Place;
    } = {},
  ) {
    this.bench = bench;
    this.#options = options;
    this.#placeOf = placeOf;
  }

  /** The first node, at which the others join. */
  get first(): RunningNode {
    return this.at(0);
  }

  at(index: number): RunningNode {
    const node = this.nodes[index];
    if (!node) throw new Error(`there is no node ${index}`);
    return node;
  }

  get alive(): RunningNode[] {
    return this.nodes.filter((node) => node.isRunning);
  }

  /** Starts `count` nodes and waits until they know each other. */
  async start(count: number): Promise<void> {
    const [bootstrap] = await this.add(1);
    const address = (await bootstrap?.ready())?.listen;
    await this.add(count - 1, address);
    await this.#acquainted(Math.min(count - 1, 4));
  }

  /** More nodes, which join at this address. */
  async add(count: number, bootstrap?: string): Promise<RunningNode[]> {
    const plans = Array.from({ length: count }, (): NodePlan => {
      const name = `node-${++this.#count}`;
      const data = folderIn(this.bench, name);
      return { name, data, bootstrap, options: this.#options, ...this.#placeOf(name) };
    });
    const added: RunningNode[] = [];
    await forEachOf(plans, atOnce, async (plan) => {
      const node = RunningNode.start(plan);
      this.nodes.push(node);
      added.push(node);
      await node.ready();
    });
    return added;
  }

  /** The same node once more: same folder, same address, and told of `bootstrap` if given. */
  async restart(node: RunningNode, change: Partial<NodePlan> = {}): Promise<RunningNode> {
    const { listen } = await node.ready();
    const again = RunningNode.start({ ...node.plan, listen, ...change });
    this.nodes[this.nodes.indexOf(node)] = again;
    await again.ready();
    return again;
  }

  /** A name with a site, a site without a name, and a link, all of this node. */
  async publishFrom(node: RunningNode): Promise<void> {
    const { random, tally } = this.bench;
    const services = await node.asked();
    const id = `${node.plan.name}-${random.below(1e9)}`;
    const folder = path.join(folderIn(this.bench, 'sources'), id);
    const digests = writeSite(folder, random);
    const name = `${id}.alt`;
    const { root } = await services.publish({ path: folder, name });
    const [url, target] = [`http://dead.example/${id}`, `https://mirror.example/${id}`];
    await services.putLink({ url, target });
    this.things.push(nameThing(name, root), siteThing(name, digests), linkThing(url, target));
    for (const kind of ['name', 'site', 'link']) tally.acknowledged(kind);
  }

  /**
   * Every one of `askers` looks for every thing until it finds it; what is not found when the time is
   * over is a loss. Resolves with the time that it took.
   */
  async expectAll(
    askers: readonly RunningNode[],
    where: string,
    things: readonly Thing[] = this.things,
  ): Promise<number> {
    const { tally } = this.bench;
    const begun = performance.now();
    const endMs = begun + patienceMs + things.length * askers.length * patienceEachMs;
    await forEachOf(askers, atOnce, async (node) => {
      const services = await node.asked();
      const scratch = folderIn(this.bench, 'found', node.plan.name);
      for (const thing of things) {
        const problem = await lookUntilFound(thing, { services, scratch, endMs });
        tally.checked();
        if (problem === undefined) continue;
        const what = `${thing.kind} ${thing.what} on ${node.plan.name}: ${problem}`;
        tally.found({ kind: 'loss', what, where });
      }
    });
    return performance.now() - begun;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.nodes.map((node) => node[Symbol.asyncDispose]()));
  }

  async #acquainted(contacts: number): Promise<void> {
    await forEachOf(this.alive, atOnce, async (node) => {
      const services = await node.asked();
      const end = performance.now() + patienceMs;
      while ((await services.stats()).table < contacts) {
        if (performance.now() > end) throw new Error(`${node.plan.name} knows too few others`);
        await delay(pollMs);
      }
    });
  }
}

async function lookUntilFound(
  thing: Thing,
  {
    services,
    scratch,
    endMs,
  }: { readonly services: Asked; readonly scratch: string; readonly endMs: number },
): Promise<string | undefined> {
  for (;;) {
    const problem = await thing.look(services, scratch).catch(String);
    if (problem === undefined || performance.now() > endMs) return problem;
    await delay(pollMs);
  }
}

function nameThing(name: string, root: string): Thing {
  return {
    kind: 'name',
    what: name,
    async look(services) {
      const resolved = await services.resolve(name, { fresh: true });
      if (resolved.root !== root) return `${resolved.state}, ${resolved.root ?? 'no root'}`;
      return resolved.stale === true ? 'only from memory' : undefined;
    },
  };
}

function linkThing(url: string, target: string): Thing {
  return {
    kind: 'link',
    what: url,
    async look(services) {
      let found = 0;
      for await (const line of services.getLinks(url)) {
        if ('target' in line && line.target === target && line.stale !== true) found++;
      }
      return found > 0 ? undefined : 'not found';
    },
  };
}

/** By its name, so that finding and opening are both looked at. */
function siteThing(name: string, digests: Digests): Thing {
  return {
    kind: 'site',
    what: name,
    async look(services, scratch) {
      const dest = path.join(scratch, name);
      rmSync(dest, { recursive: true, force: true });
      await services.fetch({ what: name, dest });
      const problem = difference(digestsOf(dest), digests);
      rmSync(dest, { recursive: true, force: true });
      return problem;
    },
  };
}
