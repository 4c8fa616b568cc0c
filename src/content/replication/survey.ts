/**
 * Who holds a root at this moment: provider records live for hours, so the nodes that they name are
 * asked, each once for all roots. What a node says is checked on one block now and then.
 */
import { withDeadline } from '../../base/abort.ts';
import { type Bytes, equalBytes, toHex } from '../../base/bytes.ts';
import type { World } from '../../base/clock.ts';
import { forEachOf } from '../../base/parallel.ts';
import { providerKey } from '../../record/provider.ts';
import type { Blocks, Connections, ProviderSearch } from '../ports.ts';
import { BadPeers, contactOf, type ProviderContact } from '../fetching/providers.ts';
import { hashKey, type Link, multihashOf } from '../dag/root.ts';
import { askStandings } from './keep-client.ts';
import { holdsBlock, someLeaf } from './spot-check.ts';

export interface SurveyDeps {
  readonly blocks: Blocks;
  readonly search: ProviderSearch;
  readonly connections: Connections;
  readonly world: World;
  readonly self: Bytes;
}

/** Who says what of one root, this node left out. */
export interface Findings {
  readonly held: readonly ProviderContact[];
  readonly superseded: readonly ProviderContact[];
}

/** Providers of one root that are asked, and of whom storers told. */
const providersMax = 64;
const heardMax = 1024;
const searchesAtOnce = 4;
const peersAtOnce = 8;
const searchMs = 20_000;
const patienceMs = 10_000;
/** How long a node that claimed what it has not is not believed. */
const distrustMs = 6 * 3_600_000;

export class Survey {
  readonly #deps: SurveyDeps;
  readonly #liars: BadPeers;
  /** Said that they hold something, and did not answer when they were asked for a block of it. */
  readonly #doubted: BadPeers;

  constructor(deps: SurveyDeps) {
    this.#deps = deps;
    this.#liars = new BadPeers(deps.world.clock, distrustMs);
    this.#doubted = new BadPeers(deps.world.clock, distrustMs);
  }

  /** By `hashKey`. Rejects with the signal's reason only. */
  async of(roots: readonly Link[], signal: AbortSignal): Promise<ReadonlyMap<string, Findings>> {
    const peers = new Map<string, { to: ProviderContact; roots: Link[] }>(); // BOUNDED by both
    const found = new Map<string, { held: ProviderContact[]; superseded: ProviderContact[] }>();
    await forEachOf(roots, searchesAtOnce, async (link) => {
      found.set(hashKey(link.hash), { held: [], superseded: [] });
      for (const to of await this.#providers(link, signal)) {
        const name = toHex(to.publicKey);
        const peer = peers.get(name) ?? { to, roots: [] };
        peer.roots.push(link);
        peers.set(name, peer);
      }
    });
    await forEachOf([...peers.values()], peersAtOnce, async ({ to, roots: asked }) => {
      const hashes = asked.map(({ hash }) => hash);
      const asking = { timers: this.#deps.world.timers, patienceMs, signal };
      const answers = await askStandings(
        { connections: this.#deps.connections, to },
        hashes,
        asking,
      );
      answers?.forEach((answer, i) => {
        const findings = found.get(hashKey(asked[i]?.hash ?? new Uint8Array()));
        if (answer === 'held') findings?.held.push(to);
        else if (answer === 'superseded') findings?.superseded.push(to);
      });
    });
    return found;
  }

  /**
   * The same holders without one that was asked for a block and turned out not to have it, or did
   * not answer for the second time: once, it may have been busy. One of them is asked each time, so
   * a lie lasts as long as there are holders, times the interval.
   */
  async checked(
    link: Link,
    holders: readonly ProviderContact[],
    signal: AbortSignal,
  ): Promise<readonly ProviderContact[]> {
    const { blocks, connections, world } = this.#deps;
    const chosen = holders[Math.floor(world.random.fraction() * holders.length)];
    const leaf = chosen && someLeaf(blocks, link, world.random);
    if (!chosen || !leaf) return holders;
    const asked = { connections, to: chosen };
    const verdict = await holdsBlock(asked, leaf, { timers: world.timers, patienceMs, signal });
    if (verdict === 'yes') return holders;
    if (verdict !== 'no' && !this.#doubted.has(chosen.publicKey)) {
      this.#doubted.add(chosen.publicKey);
      return holders;
    }
    this.#liars.add(chosen.publicKey);
    return holders.filter((one) => one !== chosen);
  }

  async #providers(link: Link, signal: AbortSignal): Promise<ProviderContact[]> {
    const { search, world, self } = this.#deps;
    const multihash = multihashOf(link);
    const key = providerKey(multihash);
    // BOUNDED by heardMax
    const heard = new Map<string, { to: ProviderContact; storers: number }>();
    const sources = { bad: this.#liars, clock: world.clock };
    const limits = { timers: world.timers, ms: searchMs, what: 'providers', signal };
    try {
      await withDeadline(limits, async (inTime) => {
        for await (const answer of search.gather(key, { signal: inTime, isPatient: true })) {
          const told = new Set<string>(); // BOUNDED by the records of one answer
          for (const record of answer.records) {
            const to = contactOf(record, { multihash, from: answer.from.endpoint, sources });
            if (!to || equalBytes(to.publicKey, self)) continue;
            const name = toHex(to.publicKey);
            if (told.has(name)) continue;
            told.add(name);
            const storers = heard.get(name)?.storers ?? 0;
            if (storers > 0 || heard.size < heardMax) heard.set(name, { to, storers: storers + 1 });
          }
        }
      });
    } catch {
      signal.throwIfAborted(); // what was found until then is worth asking
    }
    // Whoever makes up providers tells of them alone; real ones told all who should know.
    return [...heard.values()]
      .toSorted((a, b) => b.storers - a.storers)
      .slice(0, providersMax)
      .map(({ to }) => to);
  }
}
