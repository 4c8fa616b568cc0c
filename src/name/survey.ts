/** Asks the network who holds a name, and judges the answers. Keeps nothing. */
import { type Bytes, equalBytes } from '../base/bytes.ts';
import { freeAtSeconds } from '../dht/rules/ownership.ts';
import type { Contact } from '../identity/contact.ts';
import type { SignedRecord } from '../record/envelope.ts';
import { takesOverFrom } from '../record/transfer.ts';
import type { NamePlace } from './place.ts';
import type { NameAnswer, NameSearch, NameSearchEnd } from './ports.ts';
import { networksAmong, tallyOf } from './tally.ts';
import { answersWanted, highestOf, judge, judgeCertified, type Verdict } from './verdict.ts';

export interface Survey {
  readonly place: NamePlace;
  readonly verdict: Verdict;
  /** When a name that its owner gave up can be taken by others, if not yet. Unix seconds. */
  readonly freeAt: number | undefined;
  readonly answered: number;
  /** Nodes that must answer before their silence about the name means anything. */
  readonly wanted: number;
  /** Whether all who should know were asked, so far: else silence means nothing, too. */
  readonly complete: boolean;
  /** All that anybody showed, and what this node publishes itself. */
  readonly records: readonly SignedRecord[];
  /** Nodes of the storage set that do not have what the verdict says is right. */
  readonly behind: readonly Contact[];
}

export interface SurveyContext {
  readonly dht: NameSearch;
  /** What this node's own author publishes under the name. */
  readonly own: SignedRecord | undefined;
  /** The newest record of the owner as the name was seen before. */
  readonly pin: SignedRecord | undefined;
  /** Disjoint paths of the search. */
  readonly paths: 1 | 2;
  /** Unix seconds. */
  readonly now: number;
  /** `networkId(profile)`. */
  readonly network: Bytes;
  readonly signal: AbortSignal;
  /** Told once, and before the end, when what has come is enough to answer. */
  readonly onEnough?: ((survey: Survey) => void) | undefined;
}

/**
 * So many nodes that agree, each in a network of its own, are enough where one honest node would
 * be: nobody can forge, and who would show an old record needs as many networks.
 */
const agreeingMin = 5;

/** Resolves when all who should know have answered or failed. Rejects like the search. */
export async function searchName(place: NamePlace, context: SurveyContext): Promise<Survey> {
  const { dht, paths, signal, onEnough } = context;
  const known = { ...context, pin: context.pin ?? context.own };
  const minSeq = minSeqOf(place, known);
  const answers: NameAnswer[] = []; // BOUNDED by who the search asks
  const options = { kind: place.kind, reach: 'whole', paths, minSeq, reserved: true } as const;
  const search = dht.gather(place.key, { ...options, signal });
  let isTold = onEnough === undefined;
  for (;;) {
    const step = await search.next();
    if (step.done === true) return surveyOf(place, answers, { ...known, end: step.value });
    answers.push(step.value);
    if (isTold || !isEnough(place, answers, known)) continue;
    const survey = surveyOf(place, answers, known);
    if (!('record' in survey.verdict)) continue; // two to whom it was passed on: count the votes
    isTold = true;
    onEnough?.(survey);
  }
}

/**
 * Of one author what is below the known seq is old. A name may change hands, and then a lower seq
 * can be the later one: in a zone the new owner begins at 1, and in the open zone who passed the
 * name on can go on signing, at whatever seq.
 */
function minSeqOf(place: NamePlace, { pin, now }: SurveyContext): bigint {
  return place.type === 'key' && pin && now < freeAtSeconds(pin) ? pin.seq : 0n;
}

interface Judging extends SurveyContext {
  /** Undefined while the search is still under way. */
  readonly end?: NameSearchEnd;
}

function surveyOf(
  place: NamePlace,
  answers: readonly NameAnswer[],
  { dht, own, pin, now, network, end }: Judging,
): Survey {
  const records = [...answers.flatMap((answer) => answer.records), ...(own ? [own] : [])];
  const soFar = { answered: answers.length, closest: [], complete: true };
  const { answered, closest, complete } = end ?? soFar;
  // Who is no server answers nothing itself, but is counted in the size of the network.
  const isCounted = answers.some(({ from }) => from === 'self');
  const wanted = answersWanted(dht.networkSize() - (isCounted ? 0 : 1));
  // Who keeps a search from asking all, keeps those from voting whom it did not ask.
  const heard = answered >= wanted && complete;
  const verdict =
    place.type === 'key' || place.zone !== undefined
      ? judgeCertified({ records, pin, now, network })
      : judge({
          tally: tallyOf(answers, { closest, network }),
          heard,
          complete: end !== undefined,
          pin,
          own,
          now,
          network,
        });
  const behind = behindOf(verdict, answers, closest);
  // Whether another gets a name of a zone, its registrar decides.
  const isOpen = place.type === 'label' && place.zone === undefined;
  const freeAt = isOpen ? freeAtOf(verdict, answers, now) : undefined;
  return { place, verdict, freeAt, answered, wanted, complete, records, behind };
}

/** Storers that never confirmed the owner take the name's withdrawal for nothing. */
function freeAtOf(
  verdict: Verdict,
  answers: readonly NameAnswer[],
  now: number,
): number | undefined {
  const record = verdict.state === 'not-found' ? verdict.record : undefined;
  if (!record || now >= freeAtSeconds(record)) return undefined;
  const holders = answers.filter((answer) => holds(answer, record));
  const firm = holders.filter(({ records, provisional }) =>
    records.some(({ hash }, i) => provisional[i] !== true && equalBytes(hash, record.hash)),
  );
  return 2 * firm.length > holders.length ? freeAtSeconds(record) : undefined;
}

/** Whether the newest record of the known owner, or of whoever is certified, came from enough. */
function isEnough(
  place: NamePlace,
  soFar: readonly NameAnswer[],
  { pin, now, network }: SurveyContext,
): boolean {
  if (soFar.length < agreeingMin) return false;
  const isCertified = place.type === 'key' || place.zone !== undefined;
  if (!isCertified && (!pin || now >= freeAtSeconds(pin))) return false;
  const isOfOwner = (record: SignedRecord): boolean =>
    isCertified ||
    (pin !== undefined &&
      (equalBytes(record.author, pin.author) ||
        takesOverFrom(record, pin.author, network) !== undefined));
  const distinct = [...new Set(soFar.flatMap(({ records }) => records))];
  const newest = highestOf(distinct.filter(isOfOwner), network);
  if (!newest || (!isCertified && pin && newest.seq < pin.seq)) return false;
  return networksAmong(soFar.filter((answer) => holds(answer, newest))) >= agreeingMin;
}

function behindOf(
  verdict: Verdict,
  answers: readonly NameAnswer[],
  closest: readonly Contact[],
): readonly Contact[] {
  if (verdict.state !== 'ok') return [];
  const { record } = verdict;
  const isBehind = (contact: Contact): boolean => {
    const answer = answers.find(({ from }) => from === contact || isFrom(from, contact));
    return answer !== undefined && !holds(answer, record);
  };
  return closest.filter(isBehind);
}

function isFrom(from: NameAnswer['from'], { id }: Contact): boolean {
  return from !== 'self' && equalBytes(from.id, id);
}

function holds({ records }: NameAnswer, { hash }: SignedRecord): boolean {
  return records.some((record) => equalBytes(record.hash, hash));
}
