/**
 * What the words of answerers are worth. Contacts are not signed: whoever stands at a key can make
 * up as many as it likes, each nearer than every live node, and a lookup that asked them all would
 * have no requests left for anybody else. So each answerer stands for those that it named.
 *
 * It only counts; what follows for whom is asked is the lookup's business.
 */
import type { Candidate, Word } from './candidates.ts';

/** So many may fail, whatever became of the others: two or three of 20 are, without any lie … */
const missedMax = 3;
/** … and this share of those that were asked. */
const missedShareMax = 1 / 3;

/** Counted anew after each answer: the counts stand with the candidates, so that it is quick. */
export class Words {
  readonly #openMax: number;

  /** `openMax`: requests that one word may cost as long as none was answered; then one more each. */
  constructor(candidates: readonly Candidate[], openMax: number) {
    this.#openMax = openMax;
    for (const { word } of candidates) {
      word.answered = 0;
      word.missed = 0;
      word.pending = 0;
    }
    // All who named one stand for it: else some could vouch for what others made up.
    for (const candidate of candidates) {
      if (candidate.namedBy) count(candidate, candidate.namedBy);
    }
  }

  /** Whether it was named only by such as mostly named the silent, and not asked yet. */
  isSuspect({ progress, namedBy }: Candidate): boolean {
    if (progress !== 'known' || !namedBy) return false;
    return everyOne(namedBy, isWorthLittle);
  }

  /** Whether first others that the same have named should answer. */
  isEarly({ namedBy }: Candidate): boolean {
    if (!namedBy) return false;
    return everyOne(namedBy, ({ pending, missed, answered }) => {
      return pending + missed >= this.#openMax + answered;
    });
  }

  /** A request to it begins. */
  asked({ namedBy }: Candidate): void {
    for (const { word } of namedBy ?? []) word.pending++;
  }
}

/** Who is slow has missed, until it answers; nobody counts on who did not answer lately. */
function count({ progress, doubtful, missed }: Candidate, namedBy: ReadonlySet<Candidate>): void {
  const hasAnswered = progress === 'answered' || progress === 'client';
  const isPending = progress === 'asked';
  const isFine = progress === 'known' || (progress === 'slow' && doubtful);
  const misses = hasAnswered ? 0 : missed + (isPending || isFine ? 0 : 1);
  for (const { word } of namedBy) {
    if (hasAnswered) word.answered++;
    if (isPending) word.pending++;
    word.missed += misses;
  }
}

function isWorthLittle({ missed, answered }: Word): boolean {
  return missed > missedMax && missed > missedShareMax * (missed + answered);
}

function everyOne(all: ReadonlySet<Candidate>, is: (word: Word) => boolean): boolean {
  for (const { word } of all) if (!is(word)) return false;
  return true;
}
