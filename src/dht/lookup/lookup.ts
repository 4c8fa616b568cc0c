/**
 * One iterative lookup as a value: events in, state out. It does no I/O, starts no timer and asks
 * no clock; `query.ts` drives it. Who is to be asked follows from what is known alone.
 *
 * Events in: start, answered, failed, slow, overdue, probed. States out: running (with whom to ask
 * and which points to probe now), finished.
 */
import { sameEndpoint } from '../../base/address.ts';
import type { Bytes } from '../../base/bytes.ts';
import type { Contact } from '../../identity/contact.ts';
import { type Candidate, Candidates, type Progress } from './candidates.ts';
import { answeredWithin, type Circle, circleOf, type Patience } from './circle.ts';
import { densityLimit, type Probe, Regions } from './regions.ts';
import { sigmaMost, type SigmaSize } from './sigma.ts';
import { Words } from './words.ts';

/** How far a lookup goes: to those nearest to the target, or through its whole storage set. */
export type Reach = 'near' | 'whole';

/** Disjoint paths: each contact belongs to one, so that a liar on one cannot poison the other. */
export type Paths = 1 | 2;

export interface LookupOptions {
  /** How many nearest must have answered. */
  readonly k: number;
  /** Requests under way at a time on each path while it is far from the target: Kademlia's α. */
  readonly concurrency: number;
  /** Requests in all: peers that make up ever nearer contacts must come to an end. */
  readonly askedMax: number;
}

export const lookupDefaults: LookupOptions = { k: 20, concurrency: 5, askedMax: 160 };

/** What one lookup is after. */
export interface LookupGoal {
  readonly reach: Reach;
  /** How many nearest must have answered. */
  readonly width: number;
  readonly paths: Paths;
  /** Whether others are asked instead of those that are slow, and how long those are waited for. */
  readonly patience: Patience;
  /** The storage set. Who is within its radius is asked at once, without regard to α. */
  readonly sigma: SigmaSize;
  /** How much denser than expected nodes must stand around the target to be looked past. */
  readonly densityLimit: number;
  /** Asked when the nearest have answered: true lets a 'near' lookup go on as 'whole'. */
  readonly goesOn: () => boolean;
  /** Who did not answer lately, so that nobody hasty waits for it. */
  readonly isDoubtful: (contact: Contact) => boolean;
}

export type LookupEvent =
  | { readonly type: 'start' }
  /** `server`: whether it may count among the nearest; its contacts are of use either way. */
  | {
      readonly type: 'answered';
      readonly contact: Contact;
      readonly contacts: readonly Contact[];
      readonly server: boolean;
    }
  | { readonly type: 'failed'; readonly contact: Contact }
  /** It has not answered for longer than most do … */
  | { readonly type: 'slow'; readonly contact: Contact }
  /** … and then for so long that only the patient wait for it. */
  | { readonly type: 'overdue'; readonly contact: Contact }
  /** What came of a probe: no contacts when it failed. */
  | { readonly type: 'probed'; readonly probe: Probe; readonly contacts: readonly Contact[] };

export type LookupState =
  | { readonly type: 'running'; readonly ask: readonly Contact[]; readonly probe: readonly Probe[] }
  | ({ readonly type: 'finished' } & LookupResult);

export interface LookupResult {
  /** Servers that answered, nearest first: of the nearest `width`, or of the storage set. */
  readonly closest: readonly Contact[];
  readonly asked: number;
  readonly answered: number;
  /** Whether all who should be asked were: false when there were no requests left for some. */
  readonly complete: boolean;
}

export class Lookup {
  readonly #options: LookupOptions;
  readonly #goal: LookupGoal;
  readonly #near: SigmaSize;
  readonly #candidates: Candidates;
  readonly #regions: Regions;
  /** Whether each path's last answer brought nobody new among its nearest. */
  readonly #converged: boolean[];
  /** Requests under way that hold a place of α, by path. */
  readonly #places: number[];
  #whole: boolean;
  /** Who is suspect by these is asked when nobody else is left. */
  #words: Words;
  #complete = false;
  #asked = 0;
  #answered = 0;

  /** `self` is our own ID, which is never asked. */
  constructor(
    { target, self, seeds }: { target: Bytes; self: Bytes; seeds: readonly Contact[] },
    goal: Partial<LookupGoal> = {},
    options: LookupOptions = lookupDefaults,
  ) {
    this.#options = options;
    this.#goal = { ...goalDefaults(options), ...goal };
    const { width, paths, reach, sigma } = this.#goal;
    this.#near = { least: width, most: width, radius: 0 };
    this.#whole = reach === 'whole';
    this.#converged = Array<boolean>(paths).fill(false);
    this.#places = Array<number>(paths).fill(0);
    this.#regions = new Regions(target, sigma, this.#goal.densityLimit);
    this.#candidates = new Candidates({ target, self });
    this.#candidates.learn(seeds, 0);
    this.#candidates.deal(paths);
    this.#words = this.#weigh();
  }

  advance(event: LookupEvent): LookupState {
    this.#apply(event);
    this.#words = this.#weigh();
    const circles = this.#circles(this.#isLeftOut);
    const ask = this.#take(circles, (candidate) => this.#words.isEarly(candidate));
    const settled = ask.length === 0 && circles.every(({ open }) => !open);
    this.#complete ||= settled;
    if (settled && this.#whole) this.#regions.begin(this.#kthShare());
    const probe = this.#regions.next(this.#candidates.nearestFirst);
    if (!settled || probe.length > 0 || this.#regions.areOpen) {
      return { type: 'running', ask, probe };
    }
    if (!this.#whole && this.#goal.goesOn()) {
      this.#whole = true;
      this.#complete = false;
      return this.advance({ type: 'start' });
    }
    const last = this.#isSpent ? [] : this.#take(this.#circles(nobody), nobody);
    if (last.length > 0) return { type: 'running', ask: last, probe };
    return { type: 'finished', ...this.result() };
  }

  /** How far it went, or is going. */
  get reach(): Reach {
    return this.#whole ? 'whole' : 'near';
  }

  /** What is known so far. */
  result(): LookupResult {
    const size = this.#whole ? this.#goal.sigma : this.#near;
    const closest = answeredWithin(this.#candidates.nearestFirst, size);
    const complete = !this.#isSpent || !this.#isAnybodyLeft();
    return { closest, asked: this.#asked, answered: this.#answered, complete };
  }

  /** Whether all that it knew of have answered or were given up, and only probes go on. */
  get isComplete(): boolean {
    return this.#complete;
  }

  /**
   * Those that answered and belong to the storage set: surely, by the radius, or as it looks since
   * answers bring nobody new. They may be told something before the end.
   */
  living(): readonly Contact[] {
    const { radius } = this.#goal.sigma;
    const isFinal = this.#complete || this.#converged.every(Boolean);
    return this.#storageSet()
      .members.filter(({ progress }) => progress === 'answered')
      .filter(({ share }) => share <= radius || isFinal)
      .map(({ contact }) => contact);
  }

  /** Those that surely belong to the storage set and were asked, but have not answered yet. */
  expected(): readonly Contact[] {
    const { radius } = this.#goal.sigma;
    return this.#storageSet()
      .members.filter(({ progress, share }) => progress === 'asked' && share <= radius)
      .map(({ contact }) => contact);
  }

  /** Those that would belong to the storage set if they answered, and were not waited for. */
  late(): readonly Contact[] {
    return this.#storageSet()
      .late.filter(({ doubtful }) => !doubtful)
      .map(({ contact }) => contact);
  }

  #apply(event: LookupEvent): void {
    if (event.type === 'start') return;
    if (event.type === 'probed') {
      const { probe, contacts } = event;
      this.#candidates.learn(contacts, probe.path, this.#candidates.find(probe.contact.id));
      this.#regions.settle(probe);
      return;
    }
    const candidate = this.#candidates.find(event.contact.id);
    if (!candidate || !isAwaited(candidate)) return;
    if (event.type === 'answered') this.#applyAnswer(candidate, event);
    // What becomes of an endpoint that was given up for another says nothing about that one.
    else if (sameEndpoint(candidate.contact.endpoint, event.contact.endpoint)) {
      this.#applyDelay(candidate, event.type);
    }
  }

  #applyAnswer(
    candidate: Candidate,
    { contact, contacts, server }: Extract<LookupEvent, { type: 'answered' }>,
  ): void {
    const { path } = candidate;
    const edge = this.#edgeOf(path);
    candidate.contact = contact;
    this.#set(candidate, server ? 'answered' : 'client');
    this.#answered++;
    const nearest = this.#candidates.learn(contacts, path, candidate);
    if (candidate.share <= edge) this.#converged[path] = nearest >= edge;
  }

  #applyDelay(candidate: Candidate, type: 'failed' | 'slow' | 'overdue'): void {
    const isPatient = this.#goal.patience === 'patient';
    if (type === 'overdue' && isPatient) return;
    const movesOn = (type === 'failed' || !isPatient) && this.#candidates.moveOn(candidate);
    this.#set(candidate, movesOn ? 'known' : type);
  }

  #set(candidate: Candidate, progress: Progress): void {
    const { path } = candidate;
    const places = this.#places[path] ?? 0;
    if (candidate.progress === 'asked') this.#places[path] = places - 1;
    else if (progress === 'asked') this.#places[path] = places + 1;
    candidate.progress = progress;
  }

  /** How far the farthest of a path's nearest is; 2 while there are too few. */
  #edgeOf(path: number): number {
    const { members } = this.#circle(path, this.#isLeftOut);
    return members.length < this.#near.least ? 2 : (members.at(-1)?.share ?? 2);
  }

  /** Whether there are no requests left. */
  get #isSpent(): boolean {
    return this.#asked >= this.#options.askedMax;
  }

  /** Without requests left, whoever was not asked never will be. */
  readonly #isLeftOut: IsOne = (candidate) =>
    this.#isSpent ? candidate.progress === 'known' : this.#words.isSuspect(candidate);

  /** Whether there are some that would be asked if there were requests left; not for suspects. */
  #isAnybodyLeft(): boolean {
    const circles = this.#circles((candidate) => this.#words.isSuspect(candidate));
    return circles.some(({ members }) => members.some(({ progress }) => progress === 'known'));
  }

  #circle(path: number, isLeftOut: IsOne): Circle {
    // Only the storage set is worth waiting for.
    const patience = this.#goal.patience === 'thorough' ? 'hasty' : this.#goal.patience;
    const goal = { path, size: this.#near, patience, isLeftOut };
    return circleOf(this.#candidates.nearestFirst, goal);
  }

  #storageSet(isLeftOut: IsOne = this.#isLeftOut): Circle {
    const { sigma, patience } = this.#goal;
    const goal = { path: undefined, size: sigma, patience, isLeftOut };
    return circleOf(this.#candidates.nearestFirst, goal);
  }

  /** The nearest of each path and, for the whole, the storage set among all. */
  #circles(isLeftOut: IsOne): readonly Circle[] {
    const whole = this.#whole ? [this.#storageSet(isLeftOut)] : [];
    // With one path, the storage set holds its nearest.
    if (this.#whole && this.#goal.paths === 1) return whole;
    const near = this.#places.map((_, path) => this.#circle(path, isLeftOut));
    return [...whole, ...near];
  }

  #weigh(): Words {
    return new Words(this.#candidates.nearestFirst, this.#options.concurrency);
  }

  /** Marks as asked, and returns, who is to be asked now. */
  #take(circles: readonly Circle[], isEarly: IsOne): readonly Contact[] {
    const { askedMax, concurrency } = this.#options;
    const { patience, sigma, isDoubtful } = this.#goal;
    const taken: Contact[] = []; // BOUNDED by the members of three circles
    for (const candidate of circles.flatMap(({ members }) => members)) {
      const { progress, path, share, contact } = candidate;
      if (progress !== 'known' || this.#asked >= askedMax) continue;
      const isNear = share <= sigma.radius || this.#converged[path] === true;
      if (!isNear && (this.#places[path] ?? 0) >= concurrency) continue;
      if (isEarly(candidate)) continue;
      this.#words.asked(candidate);
      candidate.doubtful = patience !== 'patient' && isDoubtful(contact);
      this.#set(candidate, candidate.doubtful ? 'slow' : 'asked');
      this.#asked++;
      taken.push(contact);
    }
    return taken;
  }

  /** How far the k-th nearest that answered is; undefined when there are fewer. */
  #kthShare(): number | undefined {
    const { least } = this.#goal.sigma;
    const nearest = { least, most: least, radius: 0 };
    const kth = answeredWithin(this.#candidates.nearestFirst, nearest)[least - 1];
    return kth && this.#candidates.find(kth.id)?.share;
  }
}

type IsOne = (candidate: Candidate) => boolean;

const nobody: IsOne = () => false;

function goalDefaults({ k }: LookupOptions): LookupGoal {
  return {
    reach: 'near',
    width: k,
    paths: 1,
    patience: 'patient',
    sigma: { least: k, most: Math.max(k, sigmaMost), radius: 0 },
    densityLimit,
    goesOn: () => false,
    isDoubtful: () => false,
  };
}

function isAwaited({ progress }: Candidate): boolean {
  return progress === 'asked' || progress === 'slow' || progress === 'overdue';
}
