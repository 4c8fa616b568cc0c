/**
 * Where an author may write a name: which places come into question, in the open zone or with a
 * registrar, and what is known there of who has it. `holding.ts` judges what was found; nothing is
 * written here.
 */
import type { Abortable } from '../base/abort.ts';
import { type Bytes, equalBytes, toHex } from '../base/bytes.ts';
import { type Clock, unixSeconds } from '../base/clock.ts';
import { AltNetError } from '../base/errors.ts';
import { keyName } from '../record/label.ts';
import { offerOf } from '../record/transfer.ts';
import type { Certificate } from '../record/zone.ts';
import { type Asking, claimable, type Holding, ownedOrOffered } from './holding.ts';
import type { OwnNames } from './own.ts';
import { type Apex, labelPlace, type NameAddress, type NamePlace, placesOf } from './place.ts';
import type { Survey } from './survey.ts';

export interface WritablePlacesDeps {
  readonly own: OwnNames;
  /** The author's public key. */
  readonly author: Bytes;
  /** Public keys of the registrars that this node trusts; none: the open zone. */
  readonly zones: () => readonly Bytes[];
  readonly clock: Clock;
  /** Asks the network; rejects with TIMEOUT, ABORTED. */
  readonly survey: (place: NamePlace, signal: AbortSignal | undefined) => Promise<Survey>;
}

export class WritablePlaces {
  readonly #deps: WritablePlacesDeps;

  constructor(deps: WritablePlacesDeps) {
    this.#deps = deps;
  }

  /**
   * Where a name is to be taken. A node with registrars takes no name of the open zone: it could
   * not see it. Throws BAD_ARGUMENT, or NAME_NOT_YOURS for another's key name.
   */
  toTake(
    apex: Apex,
    { zone, certificate }: { zone?: Bytes | undefined; certificate?: Certificate | undefined } = {},
  ): readonly NamePlace[] {
    this.#requireOwnKey(apex);
    if (apex.type === 'key') return placesOf(apex, []);
    const zones = this.#deps.zones();
    const published = this.#published(apex).filter((place) => !zone || isIn(place, zone));
    if (published.length > 0 && !certificate) return published;
    const wanted = zone ?? certificate?.zone ?? zones.find((key) => this.#isMe(key));
    if (wanted && certificate && !equalBytes(wanted, certificate.zone)) {
      const why = 'the certificate is of another registrar';
      throw new AltNetError('BAD_ARGUMENT', { what: apex.name, why });
    }
    if (!wanted && zones.length === 0) return [labelPlace(apex, undefined)];
    if (wanted && (certificate || this.#isMe(wanted))) return [labelPlace(apex, wanted)];
    const mine = `${keyName(this.#deps.author)}.alt`;
    const ask = `ask one of them to certify it for ${mine}, then register it with that certificate`;
    const why = `this node takes only names of its registrars; ${ask}`;
    throw new AltNetError('BAD_ARGUMENT', { what: apex.name, why });
  }

  /** Which of these places the author may take, with a certificate of that serial; 0 without. */
  take(
    places: readonly NamePlace[],
    { serial = 0, signal }: Abortable & { readonly serial?: number | undefined },
  ): Promise<Holding> {
    return this.#first(places, { judge: claimable, serial, signal });
  }

  /** Where this author has the name, or where it was offered; for a name below, the one above. */
  async held({ apex, sub, name }: NameAddress, { signal }: Abortable): Promise<Holding> {
    this.#requireOwnKey(apex);
    if (sub !== undefined && apex.type === 'key') {
      throw new AltNetError('BAD_ARGUMENT', { what: name, why: 'a key name has none below it' });
    }
    // What it publishes is its own, even where it does not resolve that zone.
    const published = apex.type === 'label' ? this.#published(apex) : [];
    const places = [...placesOf(apex, this.#deps.zones()), ...published];
    return this.#first(places, { judge: ownedOrOffered, serial: 0, signal });
  }

  /**
   * What this node publishes already is known without asking, unless it offered the name to
   * somebody, who may have it by now. Else the places are asked in order; the first failure that
   * says more than "not there" is the result.
   */
  async #first(
    places: readonly NamePlace[],
    {
      judge,
      serial,
      signal,
    }: Abortable & {
      readonly judge: (survey: Survey, asking: Asking) => Holding;
      readonly serial: number;
    },
  ): Promise<Holding> {
    const { own, author, clock, survey } = this.#deps;
    for (const place of places) {
      const published = own.under(place);
      if (published && !offerOf(published)) return { place, mine: [published] };
    }
    const now = unixSeconds(clock);
    let missing: unknown;
    for (const place of places) {
      const found = await survey(place, signal);
      try {
        return judge(found, { author, now, serial });
      } catch (error) {
        missing ??= error;
      }
    }
    throw missing;
  }

  /** Where this author publishes the name now. */
  #published(apex: Apex & { readonly type: 'label' }): NamePlace[] {
    return this.#deps.own.zonesOf(apex.label).map((zone) => labelPlace(apex, zone));
  }

  #requireOwnKey(apex: Apex): void {
    if (apex.type !== 'key' || this.#isMe(apex.owner)) return;
    const owner = toHex(apex.owner);
    throw new AltNetError('NAME_NOT_YOURS', { name: apex.name, owner });
  }

  #isMe(publicKey: Bytes): boolean {
    return equalBytes(publicKey, this.#deps.author);
  }
}

function isIn(place: NamePlace, zone: Bytes): boolean {
  return place.type === 'label' && place.zone !== undefined && equalBytes(place.zone, zone);
}
