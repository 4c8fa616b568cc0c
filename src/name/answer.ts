/** What a caller gets to see of a verdict. Pure. */
import { type Bytes, equalBytes } from '../base/bytes.ts';
import { versionOf, type SignedRecord } from '../record/envelope.ts';
import { offerOf, takesOverFrom } from '../record/transfer.ts';
import { shownBy } from './own.ts';
import type { Pin } from './pins.ts';
import type { NamePlace } from './place.ts';
import type { Survey } from './survey.ts';
import type { ResolvedName } from './types.ts';

/** What is known of a name, and the record that says so. */
export interface Answer {
  readonly resolved: ResolvedName;
  /** Absent for contested and not-found. */
  readonly record?: SignedRecord;
}

/** For so long after a name changed hands without a transfer, its visitors are told. */
const warningSeconds = 7 * 86_400;

export interface Known {
  /** What was remembered of the name before this answer. */
  readonly pin: Pin | undefined;
  /** Unix seconds. */
  readonly now: number;
  /** `networkId(profile)`. */
  readonly network: Bytes;
}

export function answerOf(survey: Survey, known: Known): Answer {
  const { place, verdict, freeAt, answered: asked } = survey;
  const { name } = place;
  if (verdict.state === 'contested') {
    return { resolved: { name, state: 'contested', claimants: verdict.claimants, asked } };
  }
  if (verdict.state === 'not-found') {
    const previousOwner = verdict.record?.author;
    const givenUp = freeAt !== undefined && previousOwner ? { freeAt, previousOwner } : {};
    const isInZone = place.type === 'label' && place.zone !== undefined;
    const where = isInZone ? ({ registrarsOnly: true } as const) : {};
    return { resolved: { name, state: 'not-found', ...givenUp, ...where, asked } };
  }
  const { state, record } = verdict;
  return {
    resolved: { ...shownOf(place, record), ...changeOf(record, known), state, asked },
    record,
  };
}

/** What was seen before, while those who would know are silent. */
export function rememberedAnswer(place: NamePlace, { record }: Pin): Answer {
  return { resolved: { ...shownOf(place, record), state: 'ok', asked: 0, stale: true }, record };
}

function shownOf(place: NamePlace, record: SignedRecord): Omit<ResolvedName, 'state' | 'asked'> {
  const { author: owner, seq, issued, expires } = record;
  const root = shownBy(record)?.root;
  const offeredTo = offerOf(record)?.newOwner;
  const zone = place.type === 'label' ? place.zone : undefined;
  return {
    name: place.name,
    ...(root && { root }),
    owner,
    version: versionOf(seq),
    issued,
    expires,
    ...(zone && { zone }),
    ...(offeredTo && { offeredTo }),
  };
}

function changeOf(
  record: SignedRecord,
  { pin, now, network }: Known,
): Pick<ResolvedName, 'warning' | 'previousOwner'> {
  const previousOwner = previousOwnerOf(record, { pin, now, network });
  return previousOwner ? { warning: 'owner-changed', previousOwner } : {};
}

function previousOwnerOf(record: SignedRecord, { pin, now, network }: Known): Bytes | undefined {
  if (!pin) return undefined;
  const { author } = pin.record;
  if (equalBytes(author, record.author)) {
    const isRecent = pin.previous && now - pin.previous.changed < warningSeconds;
    return isRecent ? pin.previous?.owner : undefined;
  }
  return takesOverFrom(record, author, network) === undefined ? author : undefined;
}
