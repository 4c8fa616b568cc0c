/** The holdings that somebody is writing, in memory. It knows no disk. */
import type { HoldingKind, NewHolding } from '../content/ports.ts';
import type { RootLink, StoredHolding } from './holding-codec.ts';
import { raiseNew } from './holding-kinds.ts';
import { textOf } from './tables.ts';

/** One that is open, by one writer or several; one without root always by one. */
export interface OpenHolding {
  root: RootLink | undefined;
  /** Of one without root, once it has an entry: any other is found by its root. */
  number: number | undefined;
  /** With what it begins, if it has no entry yet. */
  begin: NewHolding;
  /** What it was before somebody meant to make more of it; it falls back to that. */
  before: HoldingKind | undefined;
  /** Number of the entry that names what was written; a removal may have taken it away since. */
  written: number | undefined;
  /** Blocks that it named and that turned out to be gone, by `textOf`. BOUNDED by those it named. */
  readonly lost: Set<string>;
  writers: number;
  /** Those among them who write for a reader here. */
  readers: number;
}

export class OpenHoldings {
  readonly #byRoot = new Map<string, OpenHolding>(); // BOUNDED by those who write
  readonly #byNumber = new Map<number, OpenHolding>(); // BOUNDED likewise

  /** The one that is open for this root, or a new one. */
  open(what: NewHolding): OpenHolding {
    const known = what.root && this.#byRoot.get(textOf(what.root.hash));
    if (known) {
      known.writers++;
      if (what.kind === 'visited') known.readers++;
      known.begin = raiseNew(known.begin, what);
      return known;
    }
    const { root } = what;
    const open: OpenHolding = {
      root,
      number: undefined,
      begin: what,
      before: undefined,
      written: undefined,
      lost: new Set(),
      writers: 1,
      readers: what.kind === 'visited' ? 1 : 0,
    };
    if (root) this.#byRoot.set(textOf(root.hash), open);
    return open;
  }

  /** It has an entry of this number and, so far, no root. */
  number(open: OpenHolding, number: number): void {
    open.number = number;
    this.#byNumber.set(number, open);
  }

  /** It has got a root. Gives back the one that is open for that root: this one, or another. */
  root(open: OpenHolding, root: RootLink): OpenHolding {
    if (open.number !== undefined) this.#byNumber.delete(open.number);
    open.number = undefined;
    const known = this.#byRoot.get(textOf(root.hash));
    if (known) {
      known.writers += open.writers;
      known.readers += open.readers;
      for (const id of open.lost) known.lost.add(id);
      return known;
    }
    open.root = root;
    this.#byRoot.set(textOf(root.hash), open);
    return open;
  }

  /** Whether that was its last writer. */
  close(open: OpenHolding, by: HoldingKind): boolean {
    open.writers--;
    if (by === 'visited') open.readers--;
    if (open.writers > 0) return false;
    if (open.root) this.#byRoot.delete(textOf(open.root.hash));
    if (open.number !== undefined) this.#byNumber.delete(open.number);
    return true;
  }

  has(holding: StoredHolding): boolean {
    return this.of(holding) !== undefined;
  }

  of({ root, number }: StoredHolding): OpenHolding | undefined {
    return root ? this.#byRoot.get(textOf(root.hash)) : this.#byNumber.get(number);
  }
}
