/**
 * Names that may not be had here, and sites that names may not show: the questions, and what
 * follows for who asks. What is denied, others know.
 */
import type { CID } from 'multiformats/cid';
import { type Bytes, equalBytes } from '../base/bytes.ts';
import { contentDenied, type Denial, type Denials, nameDenied } from '../base/denial.ts';
import { keyName } from '../record/label.ts';
import type { Answer } from './answer.ts';
import { type NameAddress, type NamePlace, placesOf } from './place.ts';
import type { NameChange } from './statement.ts';
import type { NameDraft } from './writer.ts';

type NameDenials = Pick<Denials, 'isEmpty' | 'ofName'>;

export function denialAt(place: NamePlace, denials: NameDenials): Denial | undefined {
  if (denials.isEmpty) return undefined;
  const label = place.type === 'label' ? place.label : keyName(place.owner);
  return denials.ofName({ label, key: place.key });
}

/** What keeps an author from writing what is denied; giving a name up is always allowed. */
export class WriteGuard {
  readonly #denials: Denials;
  readonly #zones: () => readonly Bytes[];

  constructor(denials: Denials, zones: () => readonly Bytes[]) {
    this.#denials = denials;
    this.#zones = zones;
  }

  /** Before anybody is asked; where exactly it is written turns out later. Throws NAME_… */
  requireName({ apex }: NameAddress): void {
    const [first] = placesOf(apex, this.#zones());
    if (first) requireAllowedAt(first, this.#denials);
  }

  /** Throws NAME_REVOKED, NAME_BLOCKED, or CONTENT_… for a root that it would show. */
  requireDraft({ place, change }: Pick<NameDraft, 'place' | 'change'>): void {
    if (change === 'release') return;
    requireAllowedAt(place, this.#denials);
    requireAllowedRoots(change, this.#denials);
  }
}

function requireAllowedAt(place: NamePlace, denials: NameDenials): void {
  const denial = denialAt(place, denials);
  if (denial) throw nameDenied(denial, place.name);
}

function requireAllowedRoots(
  { root, below, subnames, zoneFile }: NameChange,
  denials: Pick<Denials, 'ofBlock'>,
): void {
  const shown: readonly (CID | undefined)[] = [
    root,
    below?.root,
    ...(subnames?.values() ?? []),
    zoneFile,
  ];
  for (const one of shown) {
    const denial = one && denials.ofBlock(one.multihash.digest);
    if (denial) throw contentDenied(denial, { root: one.toString() });
  }
}

/** Says no more than that: whose the name is does not matter. */
export function deniedAnswer({ name }: NamePlace, { why }: Denial): Answer {
  return { resolved: { name, state: why, asked: 0 } };
}

/**
 * The same answer, or that the name is denied: where it was found, or in a zone that goes before.
 * For answers from wherever, as the lists may have changed since they were true.
 */
export function judgedAnswer(
  answer: Answer,
  places: readonly NamePlace[],
  denials: NameDenials,
): Answer {
  const { record } = answer;
  for (const place of denials.isEmpty ? [] : places) {
    const denial = denialAt(place, denials);
    if (denial) return deniedAnswer(place, denial);
    if (record && equalBytes(place.key, record.key)) break;
  }
  return answer;
}
