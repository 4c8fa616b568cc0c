/**
 * The names of the author's own zone, as its registrar sees and takes them: whoever holds one. What
 * was certified, and with which serial, is the business of registrar.ts.
 */
import type { Abortable } from '../base/abort.ts';
import type { Bytes } from '../base/bytes.ts';
import { serialOf } from '../record/zone.ts';
import type { NamedCertificate } from './certificate-text.ts';
import type { OwnNames } from './own.ts';
import { type NameAddress, type NamePlace, parseAddress, placeInZone } from './place.ts';
import type { Survey } from './survey.ts';
import type { NameDraft, WriteOptions, Written } from './writer.ts';

export interface OwnZoneDeps {
  readonly own: OwnNames;
  /** The author's public key. */
  readonly zone: Bytes;
  /** Asks the network; rejects with TIMEOUT, ABORTED. */
  readonly survey: (place: NamePlace, signal: AbortSignal | undefined) => Promise<Survey>;
  /** In turn with all that is written under the same name. */
  readonly write: (
    address: NameAddress,
    draft: NameDraft,
    options: WriteOptions,
  ) => Promise<Written>;
}

export interface SeenInZone {
  /** The highest that anybody shows; 0 for none. */
  readonly serial: number;
  /** Whether the name shows something, or did until lately. */
  readonly isHeld: boolean;
}

export class OwnZone {
  readonly #deps: OwnZoneDeps;

  constructor(deps: OwnZoneDeps) {
    this.#deps = deps;
  }

  /** What the network shows under a name. Rejects with BAD_NAME, TIMEOUT, ABORTED. */
  async seen(name: string, { signal }: Abortable = {}): Promise<SeenInZone> {
    const place = placeInZone(parseAddress(name), this.#deps.zone);
    const { records, verdict } = await this.#deps.survey(place, signal);
    const serial = Math.max(0, ...records.map(serialOf));
    return { serial, isHeld: verdict.state !== 'not-found' };
  }

  /**
   * Takes a name away from whoever holds it, with a certificate for this author that outranks
   * theirs. Asks nobody before: storers show what is above. Gives back how many nodes know. Rejects
   * with RECORD_REFUSED, NO_PEERS, ABORTED.
   */
  async withdraw(certificate: NamedCertificate, options: WriteOptions = {}): Promise<number> {
    const { own, write } = this.#deps;
    const address = parseAddress(certificate.label);
    const place = placeInZone(address, certificate.zone);
    const published = own.under(place);
    const mine = published ? [published] : [];
    const draft = { place, mine, change: 'release', certificate } as const;
    return (await write(address, draft, options)).stored;
  }
}
