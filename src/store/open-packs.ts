/**
 * A few pack files that are open for reading: what is read one after the other mostly lies in the
 * same one, and to open and to close it takes longer than to read. It knows names and descriptors.
 */
import { closeSync, openSync } from 'node:fs';
import { systemCode } from '../base/errors.ts';

const openMax = 16;

export class OpenPacks {
  readonly #nameOf: (number: number) => string;
  /** The one that was read last stands at the end. BOUNDED by openMax. */
  readonly #open = new Map<number, number>();
  #last: { readonly number: number; readonly fd: number } | undefined;

  constructor(nameOf: (number: number) => string) {
    this.#nameOf = nameOf;
  }

  /** Valid until the next call. Undefined when there is no such file. */
  descriptorOf(number: number): number | undefined {
    if (this.#last?.number === number) return this.#last.fd;
    const known = this.#open.get(number);
    this.#open.delete(number);
    const fd = known ?? openToRead(this.#nameOf(number));
    if (fd === undefined) return undefined;
    this.#open.set(number, fd);
    this.#last = { number, fd };
    const [oldest] = this.#open.keys();
    if (this.#open.size > openMax && oldest !== undefined) this.close(oldest);
    return fd;
  }

  /** Before a file is removed: some systems remove none that is open. */
  close(number: number): void {
    const fd = this.#open.get(number);
    if (fd === undefined) return;
    this.#open.delete(number);
    if (this.#last?.number === number) this.#last = undefined;
    closeSync(fd);
  }

  closeAll(): void {
    for (const number of this.#open.keys()) this.close(number);
  }
}

function openToRead(name: string): number | undefined {
  try {
    return openSync(name, 'r');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
