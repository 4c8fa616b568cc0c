/**
 * The one answer to the question of base/denial.ts, made of the operator's blocklist and of what
 * trusted revokers say. It must not know where these come from, nor what follows from an answer.
 */
import type { Bytes } from '../base/bytes.ts';
import type { Denial, Denials, NameInQuestion } from '../base/denial.ts';
import { Tally } from '../base/tally.ts';
import { Listeners } from './listeners.ts';
import type { BlockedSource, RevokedSource, StopListening } from './ports.ts';

const blocked: Denial = Object.freeze({ why: 'blocked' });

/** A revocation is told rather than a block of the same thing: it holds elsewhere, too. */
export class ListedDenials implements Denials {
  readonly #blocklist: BlockedSource;
  readonly #revoked: RevokedSource[] = []; // BOUNDED by the parts of a node
  readonly #listeners = new Listeners();
  readonly #denied = new Tally();

  constructor(blocklist: BlockedSource) {
    this.#blocklist = blocklist;
    blocklist.onChange(() => this.#listeners.tell());
  }

  /** From now on, what this source has revoked is denied as well. Called as the node is made. */
  addRevoked(source: RevokedSource): void {
    this.#revoked.push(source);
    source.onChange(() => this.#listeners.tell());
    this.#listeners.tell();
  }

  get isEmpty(): boolean {
    return this.#blocklist.isEmpty && this.#revoked.every((source) => source.isEmpty);
  }

  /** How often something was denied, by "what.why". */
  counts(): Readonly<Record<string, number>> {
    return this.#denied.snapshot();
  }

  ofBlock(hash: Bytes): Denial | undefined {
    const revoked = this.#revocationOf((source) => source.ofBlock(hash));
    const isBlocked = (): boolean => this.#blocklist.isBlockBlocked(hash);
    return this.#counted('block', revoked, isBlocked);
  }

  ofPath(root: Bytes, path: string): Denial | undefined {
    const revoked = this.#revocationOf((source) => source.ofBlock(root));
    return this.#counted('path', revoked, () => this.#blocklist.isPathBlocked(root, path));
  }

  ofName({ label, key }: NameInQuestion): Denial | undefined {
    const revoked = this.#revocationOf((source) => source.ofName(key));
    return this.#counted('name', revoked, () => this.#blocklist.isNameBlocked(label));
  }

  /** Nobody revokes URLs. */
  ofUrl(canonical: string): Denial | undefined {
    return this.#counted('url', undefined, () => this.#blocklist.isUrlBlocked(canonical));
  }

  onChange(listener: () => void): StopListening {
    return this.#listeners.add(listener);
  }

  #counted(
    what: 'block' | 'path' | 'name' | 'url',
    revoked: Denial | undefined,
    isBlocked: () => boolean,
  ): Denial | undefined {
    const denial = revoked ?? (isBlocked() ? blocked : undefined);
    if (denial) this.#denied.add(`${what}.${denial.why}`);
    return denial;
  }

  #revocationOf(ask: (source: RevokedSource) => Bytes | undefined): Denial | undefined {
    for (const source of this.#revoked) {
      const by = ask(source);
      if (by) return { why: 'revoked', by };
    }
    return undefined;
  }
}
