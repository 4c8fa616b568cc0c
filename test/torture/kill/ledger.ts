/**
 * What a node has acknowledged, and what it was asked for when it was killed: the one must be there
 * afterwards, the other may. It compares that with the node; it breaks nothing itself.
 */
import { rmSync } from 'node:fs';
import path from 'node:path';
import type { NodeServices } from '../../../src/api/ports.ts';
import { type Digests, difference, digestsOf } from '../samples.ts';

/** there: acknowledged. maybe: asked for. leaving: asked to go. Gone is what is not listed. */
export type Fate = 'there' | 'maybe' | 'leaving';

export interface Site {
  readonly name: string | undefined;
  /** Of an acknowledged publication. */
  root: string | undefined;
  /** What it may show: one version, or two while an update was under way. */
  versions: readonly Digests[];
  fate: Fate;
}

export interface OwnValue {
  readonly key: string;
  readonly bytes: Buffer;
  fate: Fate;
}

export interface OwnLink {
  readonly url: string;
  readonly target: string;
  fate: Fate;
}

export interface Verified {
  readonly checked: number;
  readonly losses: readonly string[];
}

export class Ledger {
  /** By the folder that they are published from. BOUNDED by the script that publishes. */
  readonly sites: Map<string, Site> = new Map();
  readonly values: OwnValue[] = []; // BOUNDED likewise
  readonly links: OwnLink[] = []; // BOUNDED likewise

  /** Asks the node for all of it. What was only asked for is settled by what is there. */
  async verify(services: NodeServices, scratch: string): Promise<Verified> {
    const losses: string[] = [];
    const lose = (what: string): number => losses.push(what);
    const names = new Map((await services.names()).map(({ name, root }) => [name, root]));
    let checked = 0;
    for (const [folder, site] of this.sites) {
      checked++;
      const why = await this.#siteProblem(site, { services, names, scratch });
      if (why === undefined) continue;
      // A name is told after its content is here, acknowledged or not.
      const isShown = site.name !== undefined && names.has(site.name);
      if (site.fate === 'there' || (site.fate === 'maybe' && isShown)) {
        lose(`site ${site.name ?? site.root ?? folder}: ${why}`);
      }
    }
    for (const value of this.values) {
      checked++;
      const why = await valueProblem(value, services);
      if (why !== undefined && value.fate === 'there') lose(`value ${value.key}: ${why}`);
    }
    const listed = new Set((await services.links()).map(({ target }) => target));
    for (const link of this.links) {
      checked++;
      if (link.fate === 'there' && !listed.has(link.target)) lose(`link to ${link.target}: gone`);
    }
    return { checked, losses };
  }

  async #siteProblem(
    site: Site,
    {
      services,
      names,
      scratch,
    }: {
      readonly services: NodeServices;
      readonly names: ReadonlyMap<string, string>;
      readonly scratch: string;
    },
  ): Promise<string | undefined> {
    const root = site.name === undefined ? site.root : names.get(site.name);
    if (root === undefined) return site.name === undefined ? 'never acknowledged' : 'name gone';
    if (site.versions.length === 1 && site.fate === 'there' && site.root !== root) {
      return `the name shows ${root}, not ${site.root}`;
    }
    const dest = path.join(scratch, 'verified');
    try {
      const { peers } = await services.fetch({ what: root, dest });
      if (peers > 0) return `${peers} peers had to send parts of it`;
      const have = digestsOf(dest);
      const ways = site.versions.map((want) => difference(have, want));
      if (!ways.includes(undefined)) return `its content: ${ways.join('; ')}`;
      return undefined;
    } catch (error) {
      return String(error);
    } finally {
      rmSync(dest, { recursive: true, force: true });
    }
  }
}

async function valueProblem(
  { key, bytes }: OwnValue,
  services: NodeServices,
): Promise<string | undefined> {
  try {
    const { value } = await services.getValue(key);
    return bytes.equals(value) ? undefined : 'it is another';
  } catch (error) {
    return String(error);
  }
}
