/**
 * Which versions of this user's sites are still wanted: those that a name points to, that were
 * kept, or that nothing newer stands for. The others are marked as superseded; whoever keeps them
 * drops them later. It changes no names.
 */
import type { CID } from 'multiformats/cid';
import type { HeldRoot, Holdings } from '../content/ports.ts';
import { requireLink, rootHex } from '../content/dag/root.ts';
import type { Sites } from '../content/sites.ts';
import { retarget } from '../name/targets.ts';
import type { OwnName } from '../name/types.ts';

export interface SiteVersionsDeps {
  readonly sites: Pick<Sites, 'supersede'>;
  readonly holdings: Pick<Holdings, 'get' | 'change'>;
  readonly names: { list(): readonly Pick<OwnName, 'name' | 'root'>[] };
}

export class SiteVersions {
  readonly #deps: SiteVersionsDeps;

  constructor(deps: SiteVersionsDeps) {
    this.#deps = deps;
  }

  /**
   * Makes a change of names, then lets go of what no name points to any more. Also when the change
   * rejects: a record that reaches nobody yet is published all the same.
   */
  async follow<T>(change: () => Promise<T>): Promise<T> {
    const before = this.#deps.names.list();
    try {
      return await change();
    } finally {
      const { left, current } = retarget(before, this.#deps.names.list());
      await this.#mark(left, current);
    }
  }

  /** What a name of this author shows now; undefined for one that is none. */
  target(name: string): CID | undefined {
    return this.#deps.names.list().find((own) => own.name === name)?.root;
  }

  /** Whether copies of it elsewhere may be replaced: no name shows it, and it is not to be kept. */
  isFree(root: CID): boolean {
    const isNamed = this.#deps.names.list().some((own) => rootHex(own.root) === rootHex(root));
    return !isNamed && this.#held(root)?.keep !== true;
  }

  /** `next` was published in the place of `before`, and no name says so. */
  async replace(before: CID | undefined, next: CID): Promise<void> {
    const isReplaced = before && rootHex(before) !== rootHex(next) && this.isFree(before);
    await this.#mark(isReplaced ? [before] : [], [next]);
  }

  /**
   * A failure to write this down must not look like one of what was done before: what is not
   * marked stays, and that is the safe side.
   */
  async #mark(left: readonly CID[], current: readonly CID[]): Promise<void> {
    const { sites, holdings } = this.#deps;
    const old = current.flatMap((root) => this.#held(root) ?? []);
    await Promise.allSettled([
      ...left.map((root) => sites.supersede(root)),
      ...old
        .filter(({ supersededMs }) => supersededMs !== undefined)
        .map(({ hash }) => holdings.change(hash, { supersededMs: undefined })),
    ]);
  }

  #held(root: CID): HeldRoot | undefined {
    return this.#deps.holdings.get(requireLink(root).hash);
  }
}
