/**
 * What the words of answerers are worth. Contacts are not signed: whoever stands at a key can make
 * up as many as it likes, each nearer than every live node, and a lookup that asked them all would
 * have no requests left for anybody else. So each answerer stands for those that it named.
 *
 * It only counts; what follows for whom is asked is the lookup's business.
 */
import type { Candidate } from './candidates.ts';

interface Word {
  /** Of those that it named. */
  answered: number;
  missed: number;
  pending: number;
}

/** So many may fail, whatever became of the others: two or three of 20 are, without any lie … */
const missedMax = 3;
/** … and this share of those that were asked. */
const missedShareMax = 1 / 3;

export class Words {
  readonly #words = new Map<Candidate, Word>(); // BOUNDED by who answered
  readonly #openMax: number;

  /** `openMax`: requests that one word may cost as long as none was answered; then one more each. */
  constructor(candidates: readonly Candidate[], openMax: number) {
    this.#openMax = openMax;
    for (const candidate of candidates) this.#add(candidate);
  }

  /** Whether it was named only by such as mostly named the silent, and not asked yet. */
  isSuspect({ progress, namedBy }: Candidate): boolean {
    if (progress !== 'known' || !namedBy) return false;
    return everyOne(namedBy, (by) => isWorthLittle(this.#words.get(by)));
  }

  /** Whether first others that the same have named should answer. */
  isEarly({ namedBy }: Candidate): boolean {
    if (!namedBy) return false;
    return everyOne(namedBy, (by) => {
      const word = this.#words.get(by);
      return word !== undefined && word.pending + word.missed >= this.#openMax + word.answered;
    });
  }

  /** All who named it stand for it: else some could vouch for what others made up. */
  #add(candidate: Candidate): void {
    for (const by of candidate.namedBy ?? []) count(candidate, this.#wordOf(by));
  }

  /** A request to it begins. */
  asked({ namedBy }: Candidate): void {
    for (const by of namedBy ?? []) this.#wordOf(by).pending++;
  }

  #wordOf(by: Candidate): Word {
    const word = this.#words.get(by) ?? { answered: 0, missed: 0, pending: 0 };
    this.#words.set(by, word);
    return word;
  }
}

/** Who is slow has missed, until it answers; nobody counts on who did not answer lately. */
function count({ progress, doubtful, missed }: Candidate, word: Word): void {
  if (progress === 'answered' || progress === 'client') {
    word.answered++;
    return;
  }
  word.missed += missed;
  if (progress === 'asked') word.pending++;
  else if (progress !== 'known' && !(progress === 'slow' && doubtful)) word.missed++;
}

function isWorthLittle(word: Word | undefined): boolean {
  if (!word || word.missed <= missedMax) return false;
  return word.missed > missedShareMax * (word.missed + word.answered);
}

function everyOne(all: ReadonlySet<Candidate>, is: (one: Candidate) => boolean): boolean {
  for (const one of all) if (!is(one)) return false;
  return true;
}
