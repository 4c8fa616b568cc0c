/**
 * The candidates of a lookup that count for one goal: the nearest of a path, or the storage set.
 * Pure; who of them is asked next is the lookup's business.
 */
import type { Contact } from '../../identity/contact.ts';
import type { Candidate } from './candidates.ts';
import { lookupCaps, PrefixCounts } from '../table/caps.ts';
import { isWithin, type SigmaSize } from './sigma.ts';

export interface CircleGoal {
  /** Only candidates of this path; undefined for all. */
  readonly path: number | undefined;
  readonly size: SigmaSize;
  /** What slow members mean. */
  readonly patience: Patience;
  /** Whether the next nearest counts instead of it, as of one who failed. */
  readonly isLeftOut: (candidate: Candidate) => boolean;
}

/**
 * 'patient': every answer is waited for. The others count the next nearest instead of who is slow;
 * then 'thorough' still waits for the slow ones until they are overdue, and 'hasty' does not as
 * soon as others filled their places.
 */
export type Patience = 'patient' | 'thorough' | 'hasty';

export interface Circle {
  /** Nearest first. */
  readonly members: readonly Candidate[];
  /** Who would be a member, but is slow. */
  readonly late: readonly Candidate[];
  /** Whether anybody is still to be asked or waited for. */
  readonly open: boolean;
}

/**
 * Counts from the nearest outwards. Of one network only so many count. Who has answered keeps its
 * place against nearer ones of its network that have not: contacts are not signed, and inventing
 * some must not hide a live node. Who failed or is slow gives its place to others.
 */
export function circleOf(
  nearestFirst: readonly Candidate[],
  { path, size, patience, isLeftOut }: CircleGoal,
): Circle {
  const members: Candidate[] = []; // BOUNDED by size.most
  const late: Candidate[] = []; // BOUNDED by the candidates of a lookup
  const all = new PrefixCounts(lookupCaps);
  const living = new PrefixCounts(lookupCaps);
  let answered = 0;
  let pending = false;
  for (const candidate of nearestFirst) {
    const { progress, networks, share } = candidate;
    if (path !== undefined && candidate.path !== path) continue;
    if (progress === 'failed' || progress === 'client' || isLeftOut(candidate)) continue;
    if (!isWithin({ nearer: members.length, share }, size)) break;
    if (progress === 'overdue' || (progress === 'slow' && patience !== 'patient')) {
      late.push(candidate);
      continue;
    }
    if (!(progress === 'answered' ? living : all).hasRoom(networks)) continue;
    all.add(networks);
    if (progress === 'answered') {
      living.add(networks);
      answered++;
    } else pending = true;
    members.push(candidate);
  }
  const filled = answered >= size.least;
  const isAwaited = ({ progress, doubtful }: Candidate): boolean =>
    progress === 'slow' && (!filled || (patience === 'thorough' && !doubtful));
  return { members, late, open: pending || late.some(isAwaited) };
}

/** Those that answered, as far as they count: nearest first, IP caps applied. */
export function answeredWithin(
  nearestFirst: readonly Candidate[],
  size: SigmaSize,
): readonly Contact[] {
  const answered: Contact[] = []; // BOUNDED by size.most
  const counts = new PrefixCounts(lookupCaps);
  for (const { contact, progress, networks, share } of nearestFirst) {
    if (progress !== 'answered') continue;
    if (!isWithin({ nearer: answered.length, share }, size)) break;
    if (counts.take(networks)) answered.push(contact);
  }
  return answered;
}
