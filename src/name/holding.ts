/**
 * What an author may write to: a name of its own, one that was offered to it, or a free one. Says
 * whether, and on what the next record builds; it writes nothing.
 */
import { type Bytes, equalBytes, toHex } from '../base/bytes.ts';
import { AltNetError } from '../base/errors.ts';
import { compareRecords, type SignedRecord } from '../record/envelope.ts';
import { acceptOffer, offerOf, type TransferLink } from '../record/transfer.ts';
import { serialOf } from '../record/zone.ts';
import { certificateBad } from './certificate-text.ts';
import { newestOf } from './own.ts';
import type { NamePlace } from './place.ts';
import type { Survey } from './survey.ts';
import type { Verdict } from './verdict.ts';

/** Where to write, and what this author wrote there before. */
export interface Holding {
  readonly place: NamePlace;
  /** All that this author is known to have written there, withdrawals included. */
  readonly mine: readonly SignedRecord[];
  /** The name was offered to this author, who now takes it. */
  readonly takeover?: Takeover;
}

export interface Takeover {
  readonly epoch: number;
  /** Newest last. */
  readonly transfers: readonly TransferLink[];
  /** What the name shows until then. */
  readonly from: SignedRecord;
}

export interface Asking {
  /** Public key of who wants to write. */
  readonly author: Bytes;
  /** Unix seconds. */
  readonly now: number;
  /** Of the certificate that it will show; 0 without one. */
  readonly serial: number;
}

/** For a name to be taken or updated. Throws NAME_TAKEN, NAME_CONTESTED. */
export function claimable(survey: Survey, asking: Asking): Holding {
  const { place, verdict } = survey;
  const { name } = place;
  const mine = mineOf(survey, asking.author);
  if (verdict.state === 'not-found') {
    if (isWithdrawn(verdict, asking)) throw withdrawn(name);
    return { place, mine };
  }
  if (verdict.state === 'contested') {
    if (verdict.claimants.some((owner) => equalBytes(owner, asking.author))) return { place, mine };
    throw new AltNetError('NAME_CONTESTED', { name, owners: verdict.claimants.map(toHex) });
  }
  const { record } = verdict;
  if (equalBytes(record.author, asking.author)) return { place, mine };
  const takeover = takeoverOf(record, asking);
  if (takeover) return { place, mine, takeover };
  const isOutranked = place.type === 'label' && place.zone && asking.serial > serialOf(record);
  if (isOutranked) return { place, mine };
  throw new AltNetError('NAME_TAKEN', { name, owner: toHex(record.author) });
}

/** For a name that must be there already. Throws NAME_NOT_FOUND, NAME_NOT_YOURS, NAME_CONTESTED. */
export function ownedOrOffered(survey: Survey, asking: Asking): Holding {
  const { place, verdict } = survey;
  const mine = mineOf(survey, asking.author);
  const newest = newestOf(mine);
  if ('record' in verdict && verdict.record && !verdict.record.tombstone) {
    const { record } = verdict;
    if (equalBytes(record.author, asking.author)) return { place, mine };
    const takeover = takeoverOf(record, asking);
    if (takeover) return { place, mine, takeover };
    throw new AltNetError('NAME_NOT_YOURS', { name: place.name, owner: toHex(record.author) });
  }
  if (newest && !newest.tombstone) return { place, mine };
  if (verdict.state === 'not-found' && isWithdrawn(verdict, asking)) throw withdrawn(place.name);
  if (verdict.state !== 'contested') throw new AltNetError('NAME_NOT_FOUND', { name: place.name });
  const owners = verdict.claimants.map(toHex);
  throw new AltNetError('NAME_CONTESTED', { name: place.name, owners });
}

/** The offer to this author that a live record of a name makes. */
function takeoverOf(record: SignedRecord, { author, now }: Asking): Takeover | undefined {
  const offer = offerOf(record);
  const transfers = acceptOffer(record, author);
  if (!offer || !transfers || now > offer.notAfter) return undefined;
  return { epoch: offer.newEpoch, transfers, from: record };
}

/** Whether another took the name away with a higher serial: only its registrar can. */
function isWithdrawn(
  { record }: Verdict & { readonly state: 'not-found' },
  { author, serial }: Asking,
): boolean {
  return record !== undefined && serialOf(record) > serial && !equalBytes(record.author, author);
}

/** The registrar took the name away after it had signed this certificate. */
export function withdrawn(name: string): AltNetError<'CERTIFICATE_BAD'> {
  return certificateBad(`its registrar has withdrawn ${name}; ask it for a new one`);
}

function mineOf({ records }: Survey, author: Bytes): SignedRecord[] {
  return records
    .filter((record) => equalBytes(record.author, author))
    .toSorted((a, b) => compareRecords(b, a));
}
