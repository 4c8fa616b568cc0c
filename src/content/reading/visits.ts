/**
 * Sites that were opened are brought here whole, in the background, as long as they are not too
 * large a part of the store: who reads one page of an archive need not keep the archive.
 */
import { LruMap } from '../../base/limits.ts';
import type { World } from '../../base/clock.ts';
import type { Background } from '../background.ts';
import { readNode } from '../dag/folder.ts';
import type { Blocks, Holdings } from '../ports.ts';
import { hashKey, type Link } from '../dag/root.ts';

export interface VisitsDeps {
  readonly blocks: Blocks;
  readonly holdings: Holdings;
  readonly background: Background;
  readonly world: World;
  /** Brings the whole site here. */
  readonly ensure: (link: Link) => Promise<unknown>;
}

/** How long a site that could not be completed in the background is left alone. */
const retryMs = 60_000;
/** Of the store's budget: what is larger stays in part. */
const shareMax = 1 / 4;

export class Visits {
  readonly #deps: VisitsDeps;
  readonly #completing = new Set<string>(); // BOUNDED by open sites
  readonly #failedAt = new LruMap<string, number>(1024); // BOUNDED by its size

  constructor(deps: VisitsDeps) {
    this.#deps = deps;
  }

  /** What its reader waited for has come; one page asks for a hundred files, and each says so. */
  served(link: Link): void {
    const key = hashKey(link.hash);
    if (this.#completing.has(key) || this.#failedLately(key)) return;
    this.#completing.add(key);
    this.#deps.background.add(
      this.#complete(link)
        .catch((error: unknown) => {
          this.#failedAt.set(key, this.#deps.world.clock.monotonicMs());
          throw error;
        })
        .finally(() => this.#completing.delete(key)),
    );
  }

  /** Rejects, among others, when the root has gone again since it was read. */
  async #complete(link: Link): Promise<void> {
    const { holdings, ensure } = this.#deps;
    if (holdings.get(link.hash)?.complete || !this.#isSmallEnough(link)) return;
    await ensure(link);
  }

  #failedLately(key: string): boolean {
    const failedAt = this.#failedAt.get(key);
    return failedAt !== undefined && this.#deps.world.clock.monotonicMs() - failedAt < retryMs;
  }

  /** By what the root says of itself: one that lies is met by the budget of the store. */
  #isSmallEnough(link: Link): boolean {
    const { blocks, holdings } = this.#deps;
    const node = readNode(blocks, link);
    const sizes = node.kind === 'file' ? [node.size] : node.entries.map(({ size }) => size);
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    return bytes <= holdings.usage().bytesMax * shareMax;
  }
}
