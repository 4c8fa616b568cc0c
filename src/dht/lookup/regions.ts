/**
 * Region queries: when the nodes around a key stand suspiciously dense, somebody may have put them
 * there, and answers about the key name nobody else. So the region is looked at from four points
 * beside the key, whose neighbours know those that the crowd has pushed out.
 *
 * Events in: begin, settle. Out: the probes to send now. Does no I/O.
 */
import type { Bytes } from '../../base/bytes.ts';
import type { Contact } from '../../identity/contact.ts';
import type { Candidate } from './candidates.ts';
import { compareDistance, distanceShare } from '../distance.ts';
import type { SigmaSize } from './sigma.ts';

/** A FIND for a point near the key. */
export interface Probe {
  readonly contact: Contact;
  /** The contact's, which is that of whom it names. */
  readonly path: number;
  readonly point: Bytes;
}

interface Region {
  readonly point: Bytes;
  readonly asked: Set<Candidate>; // BOUNDED by roundsMax × perRound
  rounds: number;
  pending: number;
}

/** So much nearer than expected does the k-th node stand where a look at the region is due. */
export const densityLimit = 1.25;
const regionsMax = 4;
const perRound = 6;
const roundsMax = 2;

export class Regions {
  readonly #key: Bytes;
  readonly #size: SigmaSize;
  readonly #limit: number;
  #regions: readonly Region[] | undefined; // BOUNDED by regionsMax
  /** Who stands nearer to the key is the crowd, and is not asked about itself. */
  #crowdShare = 0;

  constructor(key: Bytes, size: SigmaSize, limit: number) {
    this.#key = key;
    this.#size = size;
    this.#limit = limit;
  }

  /** Whether probes are under way. */
  get areOpen(): boolean {
    return this.#regions?.some(({ pending }) => pending > 0) ?? false;
  }

  /**
   * Decides, once, whether to look around: `kthShare` is how far the k-th nearest live node is,
   * undefined when there are fewer.
   */
  begin(kthShare: number | undefined): void {
    if (this.#regions) return;
    const isDense = kthShare !== undefined && kthShare * this.#limit < this.#size.radius;
    this.#crowdShare = kthShare ?? 0;
    const points = isDense ? this.#pointsBeyond(kthShare) : [];
    this.#regions = points.map((point) => ({ point, asked: new Set(), rounds: 0, pending: 0 }));
  }

  /** Nearer than the k-th node, everybody is known: those are left out whose part ends there. */
  #pointsBeyond(kthShare: number): readonly Bytes[] {
    return regionPoints(this.#key, this.#size.radius).filter(
      (point) => 2 * distanceShare(point, this.#key) > kthShare,
    );
  }

  /** The probes that are due, which count as sent from now on. */
  next(nearestFirst: readonly Candidate[]): readonly Probe[] {
    const open = (this.#regions ?? []).filter(
      ({ pending, rounds }) => pending === 0 && rounds < roundsMax,
    );
    if (open.length === 0) return [];
    const outside = nearestFirst.filter(
      ({ share, progress }) => share > this.#crowdShare && mayBeAsked.has(progress),
    );
    return open.flatMap((region) => nextRound(region, outside));
  }

  /** A probe was answered or given up. */
  settle({ point }: Probe): void {
    const region = this.#regions?.find((one) => one.point === point);
    if (region) region.pending--;
  }
}

/**
 * The points key ⊕ 2^(bits−1−L−j), j = 0 … 3, where 2^−L is about the radius: the middles of the
 * outer half of the region, of the next quarter, and so on towards the key.
 */
export function regionPoints(key: Bytes, radius: number): readonly Bytes[] {
  const depth = Math.max(0, Math.floor(-Math.log2(radius)));
  const bits = Array.from({ length: regionsMax }, (_, j) => depth + j);
  return bits.filter((bit) => bit < key.length * 8).map((bit) => flipped(key, bit));
}

function flipped(key: Bytes, bit: number): Bytes {
  const point = key.slice();
  point[bit >> 3] = (point[bit >> 3] ?? 0) ^ (0x80 >> (bit & 7));
  return point;
}

function nextRound(region: Region, candidates: readonly Candidate[]): readonly Probe[] {
  region.rounds++;
  const { point, asked } = region;
  const around = candidates
    .toSorted((a, b) => compareDistance(point, a.contact.id, b.contact.id))
    .slice(0, perRound)
    .filter((candidate) => !asked.has(candidate));
  for (const candidate of around) asked.add(candidate);
  region.pending = around.length;
  return around.map(({ contact, path }) => ({ contact, path, point }));
}

const mayBeAsked: ReadonlySet<Candidate['progress']> = new Set(['known', 'asked', 'answered']);
