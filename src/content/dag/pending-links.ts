/**
 * The links of a walk whose turn has not come, as packed octets: a hostile DAG makes a walk hold
 * very many, and as objects each would take five times as much. It knows no order but last in,
 * first out; the links of one node come out in the order of the node.
 */
import type { Codec, Link } from './root.ts';

/** A link as a block has it, with what that block says of its size. */
export interface SizedLink extends Link {
  readonly size?: number;
}

/** A link whose turn may come. */
export interface Item {
  readonly link: SizedLink;
  readonly depth: number;
  readonly level: number;
  /** How many names of the path are behind. */
  readonly step: number;
  /** Where in the file that is wanted it begins. */
  readonly start: number;
}

/** Below which node links were found. */
export type Place = Pick<Item, 'depth' | 'level' | 'step'>;

/** `start` is 0 where nobody asks for a range. */
export interface FoundLink extends SizedLink {
  readonly start?: number;
}

interface Batch extends Place {
  readonly octets: Uint8Array;
  readonly numbers: DataView;
  readonly count: number;
  taken: number;
}

/** hash 32, size 8, start 8, codec 1. */
const hashBytes = 32;
const startAt = 40;
const codecAt = 48;
const linkBytes = 49;
/** What a batch costs besides, in objects of the engine. */
const batchBytes = 400;

const codecs: readonly Codec[] = ['dag-pb', 'raw'];

export class PendingLinks {
  readonly #batches: Batch[] = []; // BOUNDED by the depth of a walk
  #count = 0;
  #bytes = 0;

  get count(): number {
    return this.#count;
  }

  /** Of memory. */
  get bytes(): number {
    return this.#bytes;
  }

  push(links: readonly FoundLink[], { depth, level, step }: Place): void {
    const octets = new Uint8Array(links.length * linkBytes);
    const numbers = new DataView(octets.buffer);
    for (const [i, { codec, hash, size = 0, start = 0 }] of links.entries()) {
      const at = i * linkBytes;
      octets.set(hash, at);
      numbers.setFloat64(at + hashBytes, size);
      numbers.setFloat64(at + startAt, start);
      octets[at + codecAt] = codecs.indexOf(codec);
    }
    this.#batches.push({ octets, numbers, count: links.length, taken: 0, depth, level, step });
    this.#count += links.length;
    this.#bytes += octets.length + batchBytes;
  }

  pop(): Item | undefined {
    const batch = this.#batches.at(-1);
    if (batch === undefined) return undefined;
    const { octets, numbers, depth, level, step } = batch;
    const at = batch.taken++ * linkBytes;
    const hash = octets.slice(at, at + hashBytes);
    const size = numbers.getFloat64(at + hashBytes);
    const start = numbers.getFloat64(at + startAt);
    const codec = codecs[octets[at + codecAt] ?? 0] ?? 'raw';
    this.#count--;
    if (batch.taken === batch.count) {
      this.#batches.pop();
      this.#bytes -= octets.length + batchBytes;
    }
    return { link: { codec, hash, size }, depth, level, step, start };
  }
}
