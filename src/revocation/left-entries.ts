/**
 * What is left of a list that its revoker contradicted: whoever trusts a revoker goes by both of
 * its lists (docs/spec/revocation.md, "Contradiction"). How lists come and go is not known here.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Bytes } from '../base/bytes.ts';
import { revocationAt, revocationBytes } from '../record/revocations.ts';
import { DigestTable } from '../trust/digest-table.ts';

export interface LeftOptions {
  readonly countMax: number;
  /** 32 random bytes: it is the revoker who chooses the targets. */
  readonly seed: Bytes;
}

/**
 * The revocations that `before` ends with and `after` does not speak of, in their order; the newest
 * of them where there are too many. Two lists of a million entries take seconds, in small steps.
 */
export async function leftOf(
  before: Bytes,
  after: Bytes,
  { countMax, seed }: LeftOptions,
): Promise<Bytes> {
  /** Of each target, the types that were spoken of later. */
  const later = new DigestTable(seed);
  const isLast = (entries: Bytes, at: number): boolean => {
    const { type, target } = revocationAt(entries, at);
    const types = later.get(target);
    if ((types & type) !== 0) return false;
    later.set(target, types | type);
    return true;
  };
  const kept: number[] = []; // BOUNDED by countMax
  if (before.length > 0) await fromLast(after, (at) => void isLast(after, at));
  await fromLast(before, (at) => {
    const isLeft = kept.length < countMax && isLast(before, at) && !revocationAt(before, at).undo;
    if (isLeft) kept.push(at);
  });
  const left = new Uint8Array(kept.length * revocationBytes);
  for (const [i, at] of kept.toReversed().entries()) {
    left.set(before.subarray(at, at + revocationBytes), i * revocationBytes);
  }
  return left;
}

/** So many take a few milliseconds; then others have their turn. */
const turnEntries = 8192;

/** Where each entry begins, the last one first. */
async function fromLast(entries: Bytes, visit: (at: number) => void): Promise<void> {
  let visited = 0;
  for (let at = entries.length - revocationBytes; at >= 0; at -= revocationBytes) {
    visit(at);
    if (++visited % turnEntries === 0) await nextTurn();
  }
}
