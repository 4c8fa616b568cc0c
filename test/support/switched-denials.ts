/** Denials that a test switches on and off: what is denied is known by its hash, path, label or URL. */
import { type Bytes, toHex } from '../../src/base/bytes.ts';
import type { Denial, Denials, NameInQuestion } from '../../src/base/denial.ts';

export class SwitchedDenials implements Denials {
  readonly #denied = new Map<string, Denial['why']>(); // BOUNDED by the test
  readonly #listeners = new Set<() => void>(); // BOUNDED by the test
  /** Questions that were asked. */
  asked = 0;

  get isEmpty(): boolean {
    return this.#denied.size === 0;
  }

  denyBlock(hash: Bytes, why: Denial['why'] = 'blocked'): void {
    this.#set(toHex(hash), why);
  }

  denyPath(root: Bytes, path: string): void {
    this.#set(`${toHex(root)}/${path}`, 'blocked');
  }

  /** By its label or key in the DHT. */
  denyName(name: string | Bytes, why: Denial['why'] = 'blocked'): void {
    this.#set(typeof name === 'string' ? `name ${name}` : toHex(name), why);
  }

  denyUrl(canonical: string): void {
    this.#set(`url ${canonical}`, 'blocked');
  }

  allowAll(): void {
    this.#denied.clear();
    this.#tell();
  }

  ofBlock(hash: Bytes): Denial | undefined {
    return this.#of(toHex(hash));
  }

  ofPath(root: Bytes, path: string): Denial | undefined {
    const names = path.split('/');
    const above = names.map((_, i) => `${toHex(root)}/${names.slice(0, i + 1).join('/')}`);
    return [toHex(root), ...above].map((key) => this.#of(key)).find((denial) => denial);
  }

  ofName({ label, key }: NameInQuestion): Denial | undefined {
    return this.#of(`name ${label}`) ?? this.#of(toHex(key));
  }

  ofUrl(canonical: string): Denial | undefined {
    return this.#of(`url ${canonical}`);
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #of(key: string): Denial | undefined {
    this.asked++;
    const why = this.#denied.get(key);
    return why && { why };
  }

  #set(key: string, why: Denial['why']): void {
    this.#denied.set(key, why);
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
