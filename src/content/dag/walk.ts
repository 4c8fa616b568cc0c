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
import { type ByteRange, overlaps, properRange, rangeFrom } from './byte-range.ts';
import {
  type FoundLink,
  type Item,
  PendingLinks,
  type Place,
  type SizedLink,
} from './pending-links.ts';
import { hashKey, type Link } from './root.ts';
import { decodeNode, type FilePart, type Node, stepShard } from './unixfs.ts';

/**
 * block: the one block that the path leads to. entity: the file, or what of it lies in a range; of
 * a folder the listing. all: everything below. nodes: everything below but raw leaves, for whoever
 * expects to hold most of those already, such as the version of a site before this one. leaves: raw
 * blocks, each by its hash.
 */
export type WantScope = 'block' | 'entity' | 'all' | 'nodes' | 'leaves';

/** What to send: the blocks on the path from `link`, then the scope at its end. */
export interface Want {
  readonly link: Link;
  /** How many shards above `link` belong to the same folder: 0 unless it is an inner shard. */
  readonly level: number;
  /** Names of entries, at most 64. */
  readonly path: readonly string[];
  readonly scope: WantScope;
  /** With scope entity, where a file stands at the end of the path: of its blocks only those. */
  readonly range?: ByteRange | undefined;
  /** With scope leaves, the raw blocks that are wanted behind `link`, in this order. */
  readonly others?: readonly SizedLink[];
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

/** What one hash of `#seen` takes, as measured: a string of 32 octets in a set. */
const seenBytes = 96;

export interface WalkOptions {
  /** Told the links that were found below a block, in order. */
  readonly onFound?: ((links: readonly SizedLink[]) => void) | undefined;
  /** Most blocks that the walk visits. Default `walkBlocksMax`. */
  readonly blocksMax?: number | undefined;
}

export class DagWalk {
  readonly #want: Want;
  readonly #range: ByteRange | undefined;
  readonly #onFound: ((links: readonly SizedLink[]) => void) | undefined;
  readonly #blocksMax: number;
  readonly #pending = new PendingLinks(); // BOUNDED by linksPendingMax, see #push()
  readonly #seen = new Set<string>(); // BOUNDED by blocksMax, see next()
  #first: Item | undefined;
  #current: Item | undefined;
  #target: Link | undefined;
  #noPath = false;
  #bytes = 0;

  constructor(want: Want, { onFound, blocksMax = walkBlocksMax }: WalkOptions = {}) {
    this.#want = want;
    this.#range = want.scope === 'entity' ? properRange(want.range) : undefined;
    this.#onFound = onFound;
    this.#blocksMax = blocksMax;
    this.#first = { link: want.link, depth: 1, level: want.level, step: 0, start: 0 };
    const { others = [] } = want;
    if (others.length > 0) this.#pending.push(others, { depth: 1, level: 0, step: 0 });
  }

  /** What stands at the end of the path, once the walk got there. */
  get target(): Link | undefined {
    return this.#target;
  }

  /** The path names an entry that does not exist. */
  get noPath(): boolean {
    return this.#noPath;
  }

  /** The walk stopped at the most blocks that it visits, and there is more. */
  get full(): boolean {
    return this.#seen.size >= this.#blocksMax && this.#pending.count > 0;
  }

  /** What this walk takes of the memory. */
  get memoryBytes(): number {
    return this.#pending.bytes + this.#seen.size * seenBytes;
  }

  /** Of the blocks that were accepted. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The walk stopped at the want's limit and there is more. */
  get limited(): boolean {
    return this.#isAtLimit && this.#pending.count > 0;
  }

  get #isAtLimit(): boolean {
    const { limitBytes = 0 } = this.#want;
    return limitBytes > 0 && this.#bytes >= limitBytes;
  }

  /** The block whose turn it is; the same one until accepted or skipped. Undefined at the end. */
  next(): SizedLink | undefined {
    while (this.#current === undefined) {
      if (this.#seen.size >= this.#blocksMax || this.#isAtLimit) return undefined;
      const item = this.#first ?? this.#pending.pop();
      this.#first = undefined;
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
    return this.#push(item, this.#linksBelow(node, item));
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
    const range = this.#range;
    const { codec, hash, size } = item.link;
    const rest = { level: item.level, path: path.slice(item.step), scope, bytesSaid: size };
    return {
      link: { codec, hash },
      ...rest,
      ...(range && { range: rangeFrom(range, item.start) }),
    };
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

  #linksBelow(node: Exclude<Node, { kind: 'bad' }>, { start }: Item): readonly FoundLink[] {
    const { scope } = this.#want;
    if (this.#range && node.kind === 'file') {
      return partsWithin(node.parts, start + node.inline.length, this.#range);
    }
    const links = node.kind === 'file' ? node.parts : node.entries;
    if (scope === 'nodes') return links.filter(({ codec }) => codec !== 'raw');
    if (scope === 'all' || node.kind === 'file') return links;
    if (node.kind === 'folder') return [];
    return node.entries.filter(({ name }) => name.length === node.digits);
  }

  #push(
    parent: Item,
    links: readonly FoundLink[],
    at: Place = { depth: parent.depth + 1, level: 0, step: parent.step },
  ): string | undefined {
    if (links.length === 0) return undefined;
    if (at.depth > walkDepthMax) return `it is nested deeper than ${walkDepthMax} blocks`;
    if (this.#pending.count + links.length > linksPendingMax) return 'it has too many links';
    this.#onFound?.(links);
    this.#pending.push(links, at);
    return undefined;
  }
}

/** The parts of a file that have something of the range, the first of all at `start`. */
function partsWithin(parts: readonly FilePart[], start: number, range: ByteRange): FoundLink[] {
  const found: FoundLink[] = [];
  let at = start;
  for (const part of parts) {
    const placed = { ...part, start: at };
    if (overlaps(placed, range)) found.push(placed);
    at += part.size;
  }
  return found;
}
