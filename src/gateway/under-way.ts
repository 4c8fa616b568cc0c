/**
 * Answers that are being made or sent, so that they end when what they show comes to be denied. It
 * knows neither sockets nor pages: an answer ends by its signal.
 */
import type { CID } from 'multiformats/cid';
import { contentDenied, type Denials, nameDenied } from '../base/denial.ts';
import type { NameResolver } from '../name/types.ts';

/** What one answer shows. */
export interface Showing {
  /** Undefined for a bare root. */
  readonly label: string | undefined;
  /** Decoded, without a slash at either end. */
  readonly path: string;
  /** Once it is known. */
  root?: CID | undefined;
  /** Where that stands, which may be another path: that of a folder's index. Once it is known. */
  place?: string | undefined;
  readonly controller: AbortController;
}

export class UnderWay {
  readonly #names: NameResolver;
  readonly #denials: Pick<Denials, 'ofPath'>;
  readonly #answers = new Set<Showing>(); // BOUNDED by the requests that are worked on

  constructor(names: NameResolver, denials: Pick<Denials, 'ofPath'>) {
    this.#names = names;
    this.#denials = denials;
  }

  /** It must be ended. */
  begin(showing: Showing): void {
    this.#answers.add(showing);
  }

  end(showing: Showing): void {
    this.#answers.delete(showing);
  }

  /** What is denied has changed. */
  review(): void {
    for (const showing of this.#answers) {
      this.#reviewContent(showing);
      void this.#reviewName(showing);
    }
  }

  /** It has been looked for, and something may have come to be denied meanwhile. */
  found(showing: Showing, place: string): void {
    showing.place = place;
    this.#reviewContent(showing);
  }

  #reviewContent({ root, path: asked, place = asked, controller }: Showing): void {
    if (!root) return;
    for (const path of new Set([asked, place])) {
      const denial = this.#denials.ofPath(root.multihash.digest, path);
      if (denial) controller.abort(contentDenied(denial, { root: root.toString(), path }));
    }
  }

  /** Never rejects. Where a name is, its resolver knows; that it is denied, it says at once. */
  async #reviewName({ label, controller }: Showing): Promise<void> {
    if (label === undefined) return;
    const { signal } = controller;
    const resolved = await this.#names.resolve(label, { signal }).catch(() => undefined);
    if (resolved?.state !== 'revoked' && resolved?.state !== 'blocked') return;
    controller.abort(nameDenied({ why: resolved.state }, resolved.name));
  }
}
