/**
 * For whom names were registered through the API: a text that means something to its caller, such
 * as a customer. The network knows nothing of it; there, all names of this node have one owner.
 */
import { parseUtf8, utf8 } from '../base/bytes.ts';
import { AltNetError } from '../base/errors.ts';
import { KeyedTurns } from '../base/keyed-turns.ts';
import type { OwnName } from '../name/types.ts';
import type { NoteStore } from '../store/notes.ts';

export interface RegistrantsDeps {
  readonly notes: Pick<NoteStore, 'get' | 'put' | 'removeAll'>;
  readonly names: { list(): readonly Pick<OwnName, 'name'>[] };
  /** This node's author: by its ID, which stands where no text was given, and by its key. */
  readonly author: { readonly id: string; readonly publicKey: string };
}

const notePrefix = 'node/registrant/';

const turnsMax = 256;

export class Registrants {
  readonly #deps: RegistrantsDeps;
  /** By name: of two who ask at the same time for the same one, the second must see the first. */
  readonly #turns = new KeyedTurns({ pendingMax: turnsMax, what: 'registrations' });

  constructor(deps: RegistrantsDeps) {
    this.#deps = deps;
  }

  /** Undefined for a name without one. */
  of(name: string): string | undefined {
    const note = this.#deps.notes.get(notePrefix + name);
    return note && parseUtf8(note);
  }

  /**
   * Registers `name` by `work`, for `registrant` if there is one. That is written down before: a
   * name must not come to stand there without it. Rejects with NAME_TAKEN for one of this node's
   * names that was registered for somebody else, and with BUSY.
   */
  register<T>(name: string, registrant: string | undefined, work: () => Promise<T>): Promise<T> {
    return this.#turns.run(name, () => this.#register(name, registrant, work));
  }

  /** The name was given up. */
  async forget(name: string): Promise<void> {
    await this.#turns.run(name, async () => {
      if (!this.#isOwn(name)) await this.#write(name, undefined); // else it was taken anew
    });
  }

  async #register<T>(
    name: string,
    registrant: string | undefined,
    work: () => Promise<T>,
  ): Promise<T> {
    const isOwn = this.#isOwn(name);
    const { id, publicKey } = this.#deps.author;
    const given = registrant === publicKey ? id : registrant;
    if (isOwn) {
      const owner = this.of(name) ?? id;
      if (given !== undefined && given !== owner)
        throw new AltNetError('NAME_TAKEN', { name, owner });
      return work();
    }
    await this.#write(name, given === id ? undefined : given);
    try {
      return await work();
    } catch (error) {
      // A name that reaches nobody yet is this node's all the same.
      if (!this.#isOwn(name)) await this.#write(name, undefined);
      throw error;
    }
  }

  #isOwn(name: string): boolean {
    return this.#deps.names.list().some((own) => own.name === name);
  }

  async #write(name: string, registrant: string | undefined): Promise<void> {
    const { notes } = this.#deps;
    const note = notePrefix + name;
    if (registrant !== undefined) await notes.put(note, utf8(registrant));
    else if (notes.get(note)) await notes.removeAll([note]);
  }
}
