/** Asks the network who holds a name, and judges the answers. Keeps nothing. */
import { equalBytes } from '../base/bytes.ts';
import type { SignedRecord } from '../record/envelope.ts';
import type { NamePlace } from './place.ts';
import type { NameAnswer, NameSearch, NameSearchEnd } from './ports.ts';
import { diverse, tallyOf } from './tally.ts';
import { judge, judgeKeyName, type Pin, type Verdict } from './verdict.ts';

export interface Survey {
  readonly verdict: Verdict;
  readonly answered: number;
  /** All that anybody showed, and what this node publishes itself. */
  readonly records: readonly SignedRecord[];
}

export interface SurveyContext {
  readonly dht: NameSearch;
  /** What this node's own author publishes under the name. */
  readonly own: SignedRecord | undefined;
  readonly pin: Pin | undefined;
  /** Unix seconds. */
  readonly now: number;
  readonly signal: AbortSignal;
}

/**
 * So many nodes that agree, of several networks, are enough where one honest node would be: nobody
 * can forge, and who would show an old record needs as many addresses.
 */
const agreeingMin = 5;

export async function searchName(place: NamePlace, context: SurveyContext): Promise<Survey> {
  const { dht, own, now, signal } = context;
  const pin = context.pin ?? (own && { owner: own.author, seq: own.seq, freeAt: own.expires });
  const answers: NameAnswer[] = []; // BOUNDED by who the search asks
  const enough = (soFar: readonly NameAnswer[]): boolean => isEnough(place, soFar, { pin, now });
  const options = { kind: place.kind, reserved: true, enough, signal } as const;
  const end = await collect(dht.gather(place.key, options), answers);
  const records = [...answers.flatMap((answer) => answer.records), ...(own ? [own] : [])];
  const { asked, answered, closest } = end;
  const minSeq = pin?.seq ?? 0n;
  const verdict =
    place.type === 'key'
      ? judgeKeyName({ records, minSeq, now })
      : judge({ tally: tallyOf(answers, closest), asked, answered, pin, own, now });
  return { verdict, answered, records };
}

async function collect(
  search: AsyncGenerator<NameAnswer, NameSearchEnd>,
  into: NameAnswer[],
): Promise<NameSearchEnd> {
  for (;;) {
    const step = await search.next();
    if (step.done === true) return step.value;
    into.push(step.value);
  }
}

/** Whether the newest record of the known owner came from enough other nodes. */
function isEnough(
  place: NamePlace,
  soFar: readonly NameAnswer[],
  { pin, now }: { pin: Pin | undefined; now: number },
): boolean {
  const owner =
    place.type === 'key' ? place.owner : pin && now < pin.freeAt ? pin.owner : undefined;
  if (!owner) return false;
  const seqOf = ({ records }: NameAnswer): bigint | undefined =>
    records.find(({ author }) => equalBytes(author, owner))?.seq;
  const highest = soFar.map(seqOf).reduce((a = 0n, b = 0n) => (b > a ? b : a), 0n) ?? 0n;
  const agreeing = diverse(soFar.filter((answer) => seqOf(answer) === highest));
  return agreeing.length >= agreeingMin && highest >= (pin?.seq ?? 0n);
}
