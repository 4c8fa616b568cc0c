/**
 * One iterative lookup as a value: events in, state out. It does no I/O, starts no timer and asks
 * no clock; `query.ts` drives it. Who is to be asked follows from what is known alone.
 *
 * Events in: start, answered, failed, slow. States out: running (with whom to ask now), finished.
 */
import type { Bytes } from '../base/bytes.ts';
import type { Contact } from '../identity/contact.ts';
import { compareDistance } from './distance.ts';

export interface LookupOptions {
  /** How many nearest must have answered. */
  readonly k: number;
  /** Requests under way at a time: Kademlia's α. */
  readonly concurrency: number;
  /** Requests in all: a peer that makes up ever nearer contacts must come to an end. */
  readonly askedMax: number;
}

export const lookupDefaults: LookupOptions = { k: 20, concurrency: 5, askedMax: 160 };

export type LookupEvent =
  | { readonly type: 'start' }
  /** `server`: whether it may count among the nearest; its contacts are of use either way. */
  | {
      readonly type: 'answered';
      readonly id: Bytes;
      readonly contacts: readonly Contact[];
      readonly server: boolean;
    }
  | { readonly type: 'failed'; readonly id: Bytes }
  /** It has not answered for longer than most do: another may be asked meanwhile. */
  | { readonly type: 'slow'; readonly id: Bytes };

export type LookupState =
  | { readonly type: 'running'; readonly ask: readonly Contact[] }
  | ({ readonly type: 'finished' } & LookupResult);

export interface LookupResult {
  /** Servers that answered, nearest first, at most k. */
  readonly closest: readonly Contact[];
  readonly asked: number;
  readonly answered: number;
}

type Progress = 'known' | 'asked' | 'slow' | 'answered' | 'failed' | 'client';

interface Candidate {
  readonly contact: Contact;
  progress: Progress;
}

/** Above askedMax, so that there is always one that was not asked to be forgotten. */
const candidatesMax = 256;

export class Lookup {
  readonly #target: Bytes;
  readonly #self: Bytes;
  readonly #options: LookupOptions;
  /** Nearest first. BOUNDED by candidatesMax, see #learn. */
  readonly #candidates: Candidate[] = [];

  /** `self` is our own ID, which is never asked. */
  constructor(
    { target, self, seeds }: { target: Bytes; self: Bytes; seeds: readonly Contact[] },
    options: LookupOptions = lookupDefaults,
  ) {
    this.#target = target;
    this.#self = self;
    this.#options = options;
    for (const seed of seeds) this.#learn(seed);
  }

  advance(event: LookupEvent): LookupState {
    this.#apply(event);
    const nearest = this.#nearest();
    const ask = nearest
      .filter(({ progress }) => progress === 'known')
      .slice(0, this.#roomForRequests());
    const running = ask.length > 0 || this.#isWaiting(nearest);
    for (const candidate of ask) candidate.progress = 'asked';
    return running
      ? { type: 'running', ask: ask.map(({ contact }) => contact) }
      : { type: 'finished', ...this.result() };
  }

  /** What is known so far. */
  result(): LookupResult {
    const answered = this.#candidates.filter(({ progress }) => progress === 'answered');
    return {
      closest: answered.slice(0, this.#options.k).map(({ contact }) => contact),
      asked: this.#candidates.length - this.#count('known'),
      answered: this.#count('answered', 'client'),
    };
  }

  #apply(event: LookupEvent): void {
    if (event.type === 'start') return;
    const candidate = this.#candidates[this.#position(event.id)];
    if (!candidate || (candidate.progress !== 'asked' && candidate.progress !== 'slow')) return;
    switch (event.type) {
      case 'answered':
        candidate.progress = event.server ? 'answered' : 'client';
        for (const contact of event.contacts) this.#learn(contact);
        return;
      case 'failed':
      case 'slow':
        candidate.progress = event.type;
    }
  }

  /** The k nearest that may still turn out to be the answer. */
  #nearest(): Candidate[] {
    const hopeful = this.#candidates.filter(
      ({ progress }) => progress !== 'failed' && progress !== 'client',
    );
    return hopeful.slice(0, this.#options.k);
  }

  #roomForRequests(): number {
    const { concurrency, askedMax } = this.#options;
    const asked = this.#candidates.length - this.#count('known');
    return Math.max(0, Math.min(concurrency - this.#count('asked'), askedMax - asked));
  }

  /**
   * Whether an answer may still change the result: one of the nearest, or one that holds the place
   * of a request to them. Others, farther out, are not waited for.
   */
  #isWaiting(nearest: readonly Candidate[]): boolean {
    if (nearest.some(({ progress }) => progress === 'asked' || progress === 'slow')) return true;
    return nearest.some(({ progress }) => progress === 'known') && this.#count('asked') > 0;
  }

  #count(...wanted: readonly Progress[]): number {
    return this.#candidates.filter(({ progress }) => wanted.includes(progress)).length;
  }

  /** Where `id` stands or would stand among the candidates. */
  #position(id: Bytes): number {
    let low = 0;
    let high = this.#candidates.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const there = this.#candidates[middle]?.contact.id ?? id;
      if (compareDistance(this.#target, there, id) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #learn(contact: Contact): void {
    if (contact.id.length !== this.#target.length) return;
    if (compareDistance(this.#target, contact.id, this.#self) === 0) return;
    const at = this.#position(contact.id);
    const there = this.#candidates[at];
    if (there && compareDistance(this.#target, there.contact.id, contact.id) === 0) return;
    this.#candidates.splice(at, 0, { contact, progress: 'known' });
    if (this.#candidates.length <= candidatesMax) return;
    const farthest = this.#candidates.findLastIndex(({ progress }) => progress === 'known');
    this.#candidates.splice(farthest, 1);
  }
}
