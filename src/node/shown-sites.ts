/**
 * Which names have shown each of this user's sites, noted so that a crash between a change of a
 * name and the mark on the version before does not keep that version for ever. It changes no names
 * and removes nothing.
 */
import type { CID } from 'multiformats/cid';
import { equalBytes, parseUtf8, utf8 } from '../base/bytes.ts';
import type { HeldRoot, Holdings } from '../content/ports.ts';
import { cidOf, parseRoot, requireLink } from '../content/dag/root.ts';
import type { Sites } from '../content/sites.ts';
import { namesByRoot } from '../name/targets.ts';
import type { OwnName } from '../name/types.ts';
import type { NoteStore } from '../store/notes.ts';

export interface ShownSitesDeps {
  readonly sites: Pick<Sites, 'supersede'>;
  readonly holdings: Pick<Holdings, 'get' | 'change'>;
  readonly names: { list(): readonly Pick<OwnName, 'name' | 'root'>[] };
  readonly notes: Pick<NoteStore, 'get' | 'list' | 'put' | 'removeAll'>;
}

/** A note for each root, by its hexadecimal hash: the names, a line each. BOUNDED by own roots. */
const prefix = 'shown/';

export class ShownSites {
  readonly #deps: ShownSitesDeps;

  constructor(deps: ShownSitesDeps) {
    this.#deps = deps;
  }

  /** To be called after a change of a name. Never rejects: what is not noted only stays longer. */
  async note(): Promise<void> {
    const { names, notes } = this.#deps;
    const byRoot = namesByRoot(names.list());
    for (const [hex, showing] of byRoot) {
      if (this.#held(hex)?.kind !== 'own') continue;
      const value = utf8(showing.join('\n'));
      const before = notes.get(prefix + hex);
      if (before && equalBytes(before, value)) continue;
      await notes.put(prefix + hex, value).catch(() => undefined);
    }
    const settled = this.#noted().filter(({ hex }) => this.#isSettled(hex, byRoot.has(hex)));
    if (settled.length === 0) return;
    await notes.removeAll(settled.map(({ hex }) => prefix + hex)).catch(() => undefined);
  }

  /**
   * At a start: marks what a name showed that shows something else now, and takes the mark off what
   * one shows. A site whose names are all gone stays: they may have expired while the node was off.
   * Never rejects.
   */
  async reconcile(): Promise<void> {
    const { names, sites, holdings } = this.#deps;
    const own = new Set(names.list().map(({ name }) => name));
    const shown = namesByRoot(names.list());
    const left = this.#noted().filter(
      ({ hex, names: before }) => !shown.has(hex) && before.some((name) => own.has(name)),
    );
    const current = [...shown.keys()].flatMap((hex) => this.#held(hex) ?? []);
    await Promise.allSettled([
      ...left.flatMap(({ hex }) => this.#root(hex) ?? []).map((root) => sites.supersede(root)),
      ...current
        .filter(({ supersededMs }) => supersededMs !== undefined)
        .map(({ hash }) => holdings.change(hash, { supersededMs: undefined })),
    ]);
    await this.note();
  }

  #noted(): { readonly hex: string; readonly names: readonly string[] }[] {
    return this.#deps.notes.list(prefix).map(({ name, value }) => ({
      hex: name.slice(prefix.length),
      names: (parseUtf8(value) ?? '').split('\n'),
    }));
  }

  /** It was marked, or never will be: once it is published again, without a name, it is to stay. */
  #isSettled(hex: string, isShown: boolean): boolean {
    const held = this.#held(hex);
    if (held?.kind !== 'own') return true;
    return !isShown && (held.keep || held.supersededMs !== undefined);
  }

  #root(hex: string): CID | undefined {
    const held = this.#held(hex);
    return held && cidOf(held);
  }

  #held(hex: string): HeldRoot | undefined {
    return this.#deps.holdings.get(requireLink(parseRoot(hex)).hash);
  }
}
