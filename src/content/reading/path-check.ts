/**
 * Rules for paths, where nobody asks for a path: whoever takes all that is below a folder comes to
 * each of its paths. It is told the blocks of a walk and says where they stand; the order of the
 * blocks, and denied blocks, are not its business.
 */
import type { Bytes } from '../../base/bytes.ts';
import type { Denials } from '../../base/denial.ts';
import { hashKey, type Link } from '../dag/root.ts';
import { decodeNode } from '../dag/unixfs.ts';
import { requirePath } from '../guarded-store.ts';

/** Names are kept apart: whole paths would take much memory, of a site that is nested for that. */
interface Place {
  readonly above: Place | undefined;
  readonly name: string;
}

export class PathCheck {
  readonly #denials: Pick<Denials, 'ofPath'>;
  readonly #root: Link;
  /** Of blocks that are still to come. BOUNDED by the blocks and the pending links of a walk. */
  readonly #places = new Map<string, Place>();

  /** `target` stands at `path` below `root`. */
  constructor(
    denials: Pick<Denials, 'ofPath'>,
    root: Link,
    { target, path }: { readonly target: Link; readonly path: readonly string[] },
  ) {
    this.#denials = denials;
    this.#root = root;
    this.#places.set(hashKey(target.hash), { above: undefined, name: path.join('/') });
  }

  /**
   * A block of the walk, verified. Throws CONTENT_REVOKED or CONTENT_BLOCKED where it is a folder
   * that has an entry at a denied path.
   */
  accept(link: Link, bytes: Bytes): void {
    const key = hashKey(link.hash);
    const place = this.#places.get(key);
    if (place === undefined) return; // on the way to the target, or a part of a file
    this.#places.delete(key);
    const node = decodeNode(link, bytes);
    if (node.kind === 'folder') {
      for (const entry of node.entries) this.#enter(entry, { above: place, name: entry.name });
    } else if (node.kind === 'shard') {
      for (const entry of node.entries) {
        const name = entry.name.slice(node.digits);
        if (name === '') this.#places.set(hashKey(entry.hash), place);
        else this.#enter(entry, { above: place, name });
      }
    }
  }

  #enter(link: Link, place: Place): void {
    requirePath(this.#denials, this.#root, pathOf(place));
    if (link.codec !== 'raw') this.#places.set(hashKey(link.hash), place);
  }
}

function pathOf(place: Place): string {
  const names: string[] = []; // BOUNDED by the depth of a walk
  for (let at: Place | undefined = place; at !== undefined; at = at.above) names.push(at.name);
  return names
    .toReversed()
    .filter((name) => name !== '')
    .join('/');
}
