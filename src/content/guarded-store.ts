/**
 * The store without what is denied: such a block is not here, whoever asks, and is not taken,
 * whoever brings it. All of this folder works on this view, so that no part can forget to ask.
 * What is on the disk already and denied goes by the node's purge, which works on the store itself.
 */
import { type Bytes, toHex } from '../base/bytes.ts';
import { contentDenied, type Denials, noDenials } from '../base/denial.ts';
import { cidOf, type Link } from './dag/root.ts';
import type { Blocks, HeldRoot, Holding, Holdings, NewHolding } from './ports.ts';

type BlockDenials = Pick<Denials, 'isEmpty' | 'ofBlock'>;

interface Guarded {
  readonly blocks: Blocks;
  readonly holdings: Holdings;
}

export function guardedStore({ blocks, holdings }: Guarded, denials: BlockDenials): Guarded {
  if (denials === noDenials) return { blocks, holdings };
  return {
    blocks: guardedBlocks(blocks, denials),
    holdings: new GuardedHoldings(holdings, denials),
  };
}

/** Throws CONTENT_REVOKED or CONTENT_BLOCKED. `path`: where it stands, if that is known. */
export function requireBlock(denials: Pick<Denials, 'ofBlock'>, hash: Bytes, path?: string): void {
  const denial = denials.ofBlock(hash);
  if (denial) throw contentDenied(denial, { root: toHex(hash), path });
}

/** The same for a path below a root, which users know by its CID; '' for the root itself. */
export function requirePath(denials: Pick<Denials, 'ofPath'>, root: Link, path: string): void {
  const denial = denials.ofPath(root.hash, path);
  if (denial) throw contentDenied(denial, { root: cidOf(root).toString(), path });
}

function requireRoot(denials: Pick<Denials, 'ofBlock'>, root: Link): void {
  const denial = denials.ofBlock(root.hash);
  if (denial) throw contentDenied(denial, { root: cidOf(root).toString() });
}

function guardedBlocks(blocks: Blocks, denials: BlockDenials): Blocks {
  return {
    get: (hash, memoryFor) => (denials.ofBlock(hash) ? undefined : blocks.get(hash, memoryFor)),
    has: (hash) => !denials.ofBlock(hash) && blocks.has(hash),
    forget: async (hash) => blocks.forget?.(hash),
  };
}

class GuardedHoldings implements Holdings {
  readonly #holdings: Holdings;
  readonly #denials: BlockDenials;

  constructor(holdings: Holdings, denials: BlockDenials) {
    this.#holdings = holdings;
    this.#denials = denials;
  }

  async open(what: NewHolding): Promise<Holding> {
    if (what.root) requireRoot(this.#denials, what.root);
    return guardedHolding(await this.#holdings.open(what), what.root, this.#denials);
  }

  get(hash: Bytes): HeldRoot | undefined {
    return this.#denials.ofBlock(hash) ? undefined : this.#holdings.get(hash);
  }

  *list(): Generator<HeldRoot> {
    for (const root of this.#holdings.list()) if (!this.#denials.ofBlock(root.hash)) yield root;
  }

  touch(hash: Bytes): void {
    this.#holdings.touch(hash);
  }

  change(hash: Bytes, to: Parameters<Holdings['change']>[1]): Promise<void> {
    return this.#holdings.change(hash, to);
  }

  remove(hash: Bytes): Promise<void> {
    return this.#holdings.remove(hash);
  }

  onRemoved(listener: (root: HeldRoot) => void): void {
    this.#holdings.onRemoved(listener);
  }

  usage(): ReturnType<Holdings['usage']> {
    return this.#holdings.usage();
  }

  usageFor(from: Bytes): ReturnType<Holdings['usageFor']> {
    return this.#holdings.usageFor(from);
  }
}

/** `root`, if it is known: what becomes denied while it is being fetched is fetched no further. */
function guardedHolding(holding: Holding, root: Link | undefined, denials: BlockDenials): Holding {
  return {
    async putAll(blocks) {
      if (root) requireRoot(denials, root);
      for (const { hash } of blocks) requireBlock(denials, hash);
      await holding.putAll(blocks);
    },
    adopt: (hashes, options) => adoptAllowed(holding, denials, hashes, options),
    reserve: (bytes) => holding.reserve(bytes),
    requireRoom: (bytes) => holding.requireRoom(bytes),
    async complete(whole) {
      requireRoot(denials, whole.link);
      await holding.complete(whole);
    },
    close: () => holding.close(),
    [Symbol.asyncDispose]: () => holding.close(),
  };
}

/** What is denied counts among what is not here. `hashes` is gone through twice. */
async function adoptAllowed(
  holding: Holding,
  denials: BlockDenials,
  ...[hashes, options]: Parameters<Holding['adopt']>
): Promise<readonly Bytes[]> {
  if (denials.isEmpty) return holding.adopt(hashes, options);
  const denied: Bytes[] = []; // BOUNDED by `hashes`
  for (const hash of hashes) if (denials.ofBlock(hash)) denied.push(hash);
  if (denied.length === 0) return holding.adopt(hashes, options);
  const allowed = [...hashes].filter((hash) => !denials.ofBlock(hash));
  return [...(await holding.adopt(allowed, options)), ...denied];
}
