/** How current the lists are that this node goes by: for status, metrics and the log. Pure. */
import { toHex } from '../base/bytes.ts';
import type { IntakeCounts } from './intake.ts';
import type { RevokerList } from './revoker-list.ts';

/** unknown: none was seen yet. stale: a newer one should have come. */
export type ListState = 'fresh' | 'stale' | 'unknown';

export interface ListFreshness {
  /** Public key, 64 hex digits. */
  readonly revoker: string;
  readonly state: ListState;
  /** Entries of the list as far as they are known, and targets that may not be had. */
  readonly entries: number;
  readonly inForce: number;
  /** Unix seconds. */
  readonly issued: number | undefined;
  readonly nextUpdate: number | undefined;
  readonly equivocated: boolean;
  /** Entries are missing that have to be fetched. */
  readonly lacking: boolean;
}

/** All of it in numbers, since the start where they count events. */
export interface Freshness extends Readonly<IntakeCounts> {
  readonly lists: readonly ListFreshness[];
  /** Records that were passed on, and how many nodes heard of them. */
  readonly passedOn: number;
  readonly told: number;
  /** Rounds of asking that somebody answered. */
  readonly rounds: number;
}

export function stateOf({ body }: Pick<RevokerList, 'body'>, nowUnixSeconds: number): ListState {
  if (!body) return 'unknown';
  return nowUnixSeconds > body.nextUpdate ? 'stale' : 'fresh';
}

export function freshnessOf(list: RevokerList, nowUnixSeconds: number): ListFreshness {
  return {
    revoker: toHex(list.revoker),
    state: stateOf(list, nowUnixSeconds),
    entries: list.count,
    inForce: list.inForce,
    issued: list.record?.issued,
    nextUpdate: list.body?.nextUpdate,
    equivocated: list.equivocated,
    lacking: list.isLacking,
  };
}
