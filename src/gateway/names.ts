/**
 * Where names point to, remembered for a moment: a page's many requests come at once and should
 * all see the same version. How long an answer of the network is good for is the resolver's matter.
 */
import type { CID } from 'multiformats/cid';
import type { Clock } from '../base/clock.ts';
import { LruMap } from '../base/limits.ts';
import type { NameResolver, ResolvedName } from '../name/types.ts';

const namesMax = 1024;

export interface FreshNamesOptions {
  readonly freshMs: number;
}

export class FreshNames {
  readonly #resolver: NameResolver;
  readonly #clock: Clock;
  readonly #freshMs: number;
  /** BOUNDED by namesMax. */
  #entries = new LruMap<string, { readonly root: CID; readonly untilMs: number }>(namesMax);

  constructor(resolver: NameResolver, clock: Clock, { freshMs }: FreshNamesOptions) {
    this.#resolver = resolver;
    this.#clock = clock;
    this.#freshMs = freshMs;
  }

  /** The root, when it was resolved a moment ago; the same object as long as it is the same. */
  rootOf(label: string): CID | undefined {
    const entry = this.#entries.peek(label); // what was resolved first is the first to be stale
    return entry !== undefined && this.#clock.monotonicMs() < entry.untilMs
      ? entry.root
      : undefined;
  }

  /** Rejects like the resolver. Only what may be shown is remembered. */
  async resolve(label: string, options: { readonly signal: AbortSignal }): Promise<ResolvedName> {
    const entries = this.#entries; // an answer of before `clear` must not outlive it
    const resolved = await this.#resolver.resolve(label, options);
    const { state, root } = resolved;
    if ((state === 'ok' || state === 'new') && root !== undefined) {
      const before = entries.peek(label)?.root;
      const same = before?.equals(root) === true ? before : root;
      entries.set(label, { root: same, untilMs: this.#clock.monotonicMs() + this.#freshMs });
    }
    return resolved;
  }

  clear(): void {
    this.#entries = new LruMap(namesMax);
  }
}
