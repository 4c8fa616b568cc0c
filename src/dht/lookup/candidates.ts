/**
 * Those that a lookup has heard of, nearest to its target first, with what became of each. It does
 * not decide who is asked.
 */
import { sameEndpoint } from '../../base/address.ts';
import type { Bytes } from '../../base/bytes.ts';
import type { Contact } from '../../identity/contact.ts';
import { type Networks, networksOf } from '../table/caps.ts';
import { compareDistance, distanceShare, sameId } from '../distance.ts';

export type Progress = 'known' | 'asked' | 'slow' | 'overdue' | 'answered' | 'failed' | 'client';

export interface Candidate {
  contact: Contact;
  networks: Networks | undefined;
  progress: Progress;
  /** Which of the disjoint paths it belongs to. */
  path: number;
  /** When it was asked, it had not answered lately: nobody hasty waits for it. */
  doubtful: boolean;
  /** From the target, as a share of the ID space. */
  readonly share: number;
  /**
   * Other endpoints that were named for this ID, tried when this one fails: contacts are not
   * signed, and whoever names a wrong address first must not hide a node.
   */
  readonly others: Contact[]; // BOUNDED by othersMax
  /** Endpoints that were given up for another. */
  missed: number;
  /** Who named it, the first one first; undefined when we knew it ourselves. */
  readonly namedBy: Set<Candidate> | undefined; // BOUNDED by the requests of a lookup
  /** What became of those that it named itself, as counted last (words.ts). */
  readonly word: Word;
}

export interface Word {
  answered: number;
  missed: number;
  pending: number;
}

/**
 * Above the requests of one lookup, so that there is always one not asked to be forgotten, and
 * above what a dozen or two who make up contacts can name, so that it is not who lives.
 */
const candidatesMax = 512;
const othersMax = 2;

export class Candidates {
  readonly #target: Bytes;
  readonly #self: Bytes;
  readonly #nearestFirst: Candidate[] = []; // BOUNDED by candidatesMax

  constructor({ target, self }: { target: Bytes; self: Bytes }) {
    this.#target = target;
    this.#self = self;
  }

  get nearestFirst(): readonly Candidate[] {
    return this.#nearestFirst;
  }

  find(id: Bytes): Candidate | undefined {
    const candidate = this.#nearestFirst[this.#position(id)];
    return candidate && sameId(candidate.contact.id, id) ? candidate : undefined;
  }

  /**
   * Adds those not known yet to a path, as named by `by`, or as known to us; the least share among
   * them, 2 when there are none.
   */
  learn(contacts: readonly Contact[], path: number, by?: Candidate): number {
    let least = 2;
    for (const contact of contacts) {
      const added = this.#learn(contact, path, by);
      if (added && added.share < least) least = added.share;
    }
    return least;
  }

  /** Deals what is known to `paths` paths in turn, by distance. */
  deal(paths: number): void {
    for (const [i, candidate] of this.#nearestFirst.entries()) candidate.path = i % paths;
  }

  /** Where else a candidate that failed may be reached; false when nowhere. */
  moveOn(candidate: Candidate): boolean {
    const next = candidate.others.shift();
    if (!next) return false;
    candidate.contact = next;
    candidate.networks = networksOf(next.endpoint.ip);
    candidate.missed++;
    return true;
  }

  #learn(contact: Contact, path: number, by: Candidate | undefined): Candidate | undefined {
    const { id } = contact;
    if (id.length !== this.#target.length || sameId(id, this.#self)) return undefined;
    const at = this.#position(id);
    const there = this.#nearestFirst[at];
    if (there && sameId(there.contact.id, id)) {
      noteOther(there, contact);
      if (by) there.namedBy?.add(by);
      return undefined;
    }
    const candidate: Candidate = {
      contact,
      networks: networksOf(contact.endpoint.ip),
      progress: 'known',
      path,
      doubtful: false,
      share: distanceShare(id, this.#target),
      others: [],
      missed: 0,
      namedBy: by && new Set([by]),
      word: { answered: 0, missed: 0, pending: 0 },
    };
    this.#nearestFirst.splice(at, 0, candidate);
    this.#forgetFarthest();
    return candidate;
  }

  #forgetFarthest(): void {
    if (this.#nearestFirst.length <= candidatesMax) return;
    const farthest = this.#nearestFirst.findLastIndex(({ progress }) => progress === 'known');
    this.#nearestFirst.splice(farthest, 1);
  }

  /** Where `id` stands or would stand. */
  #position(id: Bytes): number {
    let low = 0;
    let high = this.#nearestFirst.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const there = this.#nearestFirst[middle]?.contact.id ?? id;
      if (compareDistance(this.#target, there, id) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function noteOther({ contact: known, others, progress }: Candidate, contact: Contact): void {
  if (progress === 'answered' || progress === 'client' || others.length >= othersMax) return;
  const isSame = ({ endpoint }: Contact): boolean => sameEndpoint(endpoint, contact.endpoint);
  if (!isSame(known) && !others.some(isSame)) others.push(contact);
}
