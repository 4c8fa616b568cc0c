/** What a holding begins as, what it becomes when somebody needs it more, how others see it. */
import type { HeldRoot, HoldingKind, NewHolding } from '../content/ports.ts';
import type { Origin } from './book.ts';
import { holdingCost } from './costs.ts';
import { isListed, type StoredHolding } from './holding-codec.ts';

const ranks: Readonly<Record<HoldingKind, number>> = { own: 2, replica: 1, visited: 0 };

/** The kind, and whose replica it is. */
export function originOf({ kind, from, source }: NewHolding): Origin {
  return kind === 'replica'
    ? { kind, from, source: source ?? '' }
    : { kind, from: undefined, source: '' };
}

export function beginHolding(number: number, what: NewHolding, nowMs: number): StoredHolding {
  return {
    number,
    state: 'writing',
    root: what.root && { hash: what.root.hash.slice(), codec: what.root.codec },
    keep: what.keep ?? false,
    legacy: false,
    files: 0,
    bytes: 0,
    addedMs: nowMs,
    usedMs: nowMs,
    supersededMs: undefined,
    cost: holdingCost,
    ...originOf(what),
  };
}

/** The kind that binds most counts, and with it who offered it. */
export function raise<H extends Origin & { readonly keep: boolean }>(
  holding: H,
  by: NewHolding,
): H {
  const keep = holding.keep || by.keep === true;
  return ranks[by.kind] > ranks[holding.kind]
    ? { ...holding, keep, ...originOf(by) }
    : { ...holding, keep };
}

/** A new holding that is to be opened by one more. */
export function raiseNew(begin: NewHolding, by: NewHolding): NewHolding {
  const keep = begin.keep === true || by.keep === true;
  return ranks[by.kind] > ranks[begin.kind] ? { ...by, keep } : { ...begin, keep };
}

/** No replica any more: nobody's account has it. */
export function asVisited<H extends Origin>(holding: H): H {
  return { ...holding, kind: 'visited', from: undefined, source: '' };
}

/** Undefined for one that is not listed. */
export function heldRootOf(holding: StoredHolding, usedMs: number): HeldRoot | undefined {
  const { root, state, kind, files, bytes, addedMs, from, keep, supersededMs } = holding;
  if (!root || !isListed(holding)) return undefined;
  const is = { kind, complete: state === 'complete', files, bytes, addedMs, usedMs, keep };
  return { hash: root.hash, codec: root.codec, ...is, from, supersededMs };
}
