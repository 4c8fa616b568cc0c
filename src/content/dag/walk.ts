/**
 * The order in which the blocks of a want are sent: depth first, a block before what it links to,
 * links in the order of their block, every block once. Both ends of the exchange and the search
 * for what is missing walk with this one class, so that they cannot disagree
 * (docs/spec/exchange.md, "Order").
 *
 * In: the want; then for each link that `next` gives either `accept` with its verified bytes or
 * `skip`. Out: links, and at the end `target`, or `noPath` when the path leads nowhere.
 */
import type { Bytes } from '../../base/bytes.ts';
import { hashKey, type Link } from './root.ts';
import { decodeNode, type Node, stepShard } from './unixfs.ts';

/**
 * block: the one block that the path leads to. entity: the whole file, or the listing of the
 * folder. all: everything below. nodes: everything below but raw leaves, for whoever expects to
 * hold most of those already, such as the version of a site before this one.
 */
export type WantScope = 'block' | 'entity' | 'all' | 'nodes';

/** What to send: the blocks on the path from `link`, then the scope at its end. */
export interface Want {
  readonly link: Link;
  /** How many shards above `link` belong to the same folder: 0 unless it is an inner shard. */
  readonly level: number;
  /** Names of entries, at most 64. */
  readonly path: readonly string[];
  readonly scope: WantScope;
  /** The answer ends with the block that brings it to this many bytes; 0 or left out: no limit. */
  readonly limitBytes?: number;
  /** What a block above says about the size of all this; nobody checks it. Never sent. */
  readonly bytesSaid?: number | undefined;
}

export const walkDepthMax = 64;
/** Links seen in a block whose turn has not come yet: what a hostile DAG can make a walk hold. */
export const linksPendingMax = 65_536;
/** Blocks of one want, so that what was seen fits in memory: 64 GiB in blocks of 256 KiB. */
export const walkBlocksMax = 262_144;

/** A link as a block has it, with what that block says of its size. */
export interface SizedLink extends Link {
  readonly size?: number;
}

interface Item {
  readonly link: SizedLink;
  readonly depth: number;
  readonly level: number;
  /** How many names of the path are behind. */
  readonly step: number;
}

export class DagWalk {
  readonly #want: Want;
  readonly #onFound: ((links: readonly SizedLink[]) => void) | undefined;
  readonly #pending: Item[]; // BOUNDED by linksPendingMax, see #push(); the next one is the last
  readonly #seen = new Set<string>(); // BOUNDED by walkBlocksMax, see next()
  #current: Item | undefined;
  #target: Link | undefined;
  #noPath = false;
  #bytes = 0;

  /** `onFound` is told the links that were found below a block, in order. */
  constructor(want: Want, onFound?: (links: readonly SizedLink[]) => void) {
    this.#want = want;
    this.#onFound = onFound;
    this.#pending = [{ link: want.link, depth: 1, level: want.level, step: 0 }];
  }

  /** What stands at the end of the path, once the walk got there. */
  get target(): Link | undefined {
    return this.#target;
  }

  /** The path names an entry that does not exist. */
  get noPath(): boolean {
    return this.#noPath;
  }

  /** The walk stopped at `walkBlocksMax` and there is more. */
  get full(): boolean {
    return this.#seen.size >= walkBlocksMax && this.#pending.length > 0;
  }

  /** Of the blocks that were accepted. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The walk stopped at the want's limit and there is more. */
  get limited(): boolean {
    return this.#isAtLimit && this.#pending.length > 0;
  }

  get #isAtLimit(): boolean {
    const { limitBytes = 0 } = this.#want;
    return limitBytes > 0 && this.#bytes >= limitBytes;
  }

  /** The block whose turn it is; the same one until accepted or skipped. Undefined at the end. */
  next(): SizedLink | undefined {
    while (this.#current === undefined) {
      if (this.#seen.size >= walkBlocksMax || this.#isAtLimit) return undefined;
      const item = this.#pending.pop();
      if (item === undefined) return undefined;
      const key = hashKey(item.link.hash);
      if (this.#seen.has(key)) continue;
      this.#seen.add(key);
      if (item.step === this.#want.path.length) this.#target ??= item.link;
      this.#current = item;
    }
    return this.#current.link;
  }

  /** Goes on below the current block. The reason, when the block must not be part of a site. */
  accept(bytes: Bytes): string | undefined {
    const item = this.#current;
    this.#current = undefined;
    this.#bytes += bytes.length;
    if (item === undefined || this.#needsNothingOf(item)) return undefined;
    const node = decodeNode(item.link, bytes);
    if (node.kind === 'bad') return node.why;
    if (item.step < this.#want.path.length) return this.#follow(item, node);
    return this.#push(item, this.#linksBelow(node));
  }

  /** Leaves out the current block and what is below it. */
  skip(): void {
    this.#current = undefined;
  }

  /** A want that continues at the current block. */
  rest(): Want | undefined {
    const item = this.#current;
    if (item === undefined) return undefined;
    const { path, scope } = this.#want;
    const { codec, hash, size } = item.link;
    const rest = { level: item.level, path: path.slice(item.step), scope, bytesSaid: size };
    return { link: { codec, hash }, ...rest };
  }

  /** Whether the bytes of the current block matter to the walk, or only that they are there. */
  get needsBytes(): boolean {
    return this.#current !== undefined && !this.#needsNothingOf(this.#current);
  }

  #needsNothingOf({ link, step }: Item): boolean {
    if (step < this.#want.path.length) return false;
    return link.codec === 'raw' || this.#want.scope === 'block';
  }

  #follow(item: Item, node: Node): string | undefined {
    const name = this.#want.path[item.step] ?? '';
    const depth = item.depth + 1;
    if (node.kind === 'folder') {
      const entry = node.entries.find((one) => one.name === name);
      if (entry) return this.#push(item, [entry], { depth, level: 0, step: item.step + 1 });
    } else if (node.kind === 'shard') {
      const found = stepShard(node, name, item.level);
      if (found?.kind === 'deeper') {
        return this.#push(item, [found.entry], { depth, level: item.level + 1, step: item.step });
      }
      if (found) return this.#push(item, [found.entry], { depth, level: 0, step: item.step + 1 });
    }
    this.#noPath = true;
    return undefined;
  }

  #linksBelow(node: Exclude<Node, { kind: 'bad' }>): readonly SizedLink[] {
    const { scope } = this.#want;
    const links = node.kind === 'file' ? node.parts : node.entries;
    if (scope === 'nodes') return links.filter(({ codec }) => codec !== 'raw');
    if (scope === 'all' || node.kind === 'file') return links;
    if (node.kind === 'folder') return [];
    return node.entries.filter(({ name }) => name.length === node.digits);
  }

  #push(
    parent: Item,
    links: readonly SizedLink[],
    at: Omit<Item, 'link'> = { depth: parent.depth + 1, level: 0, step: parent.step },
  ): string | undefined {
    if (links.length === 0) return undefined;
    if (at.depth > walkDepthMax) return `it is nested deeper than ${walkDepthMax} blocks`;
    if (this.#pending.length + links.length > linksPendingMax) return 'it has too many links';
    this.#onFound?.(links);
    for (const { codec, hash, size = 0 } of links.toReversed()) {
      this.#pending.push({ link: { codec, hash, size }, ...at });
    }
    return undefined;
  }
}
