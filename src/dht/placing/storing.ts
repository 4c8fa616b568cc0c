/** Offers a record to one node, and adds up what several said. */
import { equalBytes } from '../../base/bytes.ts';
import type { Contact } from '../../identity/contact.ts';
import type { SignedRecord } from '../../record/envelope.ts';
import { isStored, type StoreStatus, storeStatuses } from '../../record/kinds.ts';
import type { Caller } from '../table/caller.ts';
import type { RecordSieve } from '../reading/sieve.ts';
import type { Outcome } from '../holding/storage.ts';

export interface StoreRefusals {
  readonly status: StoreStatus;
  readonly count: number;
  /** The records that stood in the way, verified, each once. */
  readonly conflicting: readonly SignedRecord[];
  /** The most that came with it: of RATE the seconds to wait, of POW the bits. */
  readonly detail?: number | undefined;
}

export interface StoreResult {
  /** Nodes that hold the record now, this one included when it is one of them. */
  readonly stored: number;
  /** Of those, how many hold a name only until others confirm it; 0 when left out. */
  readonly provisional?: number | undefined;
  /** Nodes that it was offered to, likewise. */
  readonly asked: number;
  /** By status; nodes that did not answer, or did not show what they refuse it for, are in none. */
  readonly refusals: readonly StoreRefusals[];
  /** The other nodes that hold it now. */
  readonly holders: readonly Contact[];
}

/** What came of one offer; no outcome when there was no answer that counts. */
export interface Said {
  readonly by: Contact | 'self';
  readonly outcome: Outcome | undefined;
}

const { OK_PROVISIONAL } = storeStatuses;

/** Refusals for the sake of another record. */
const needsProof: ReadonlySet<StoreStatus> = new Set([
  storeStatuses.NAME_TAKEN,
  storeStatuses.SEQ_OLD,
]);

/** Rejects as requests do. `sieve` is for the record that is shown as reason for a refusal. */
export async function offerRecord(
  to: Contact,
  record: SignedRecord,
  { caller, sieve, signal }: { caller: Caller; sieve: RecordSieve; signal: AbortSignal },
): Promise<Outcome | undefined> {
  const request = { method: 'store', record: record.bytes } as const;
  const { reply } = await caller.call(to, request, signal);
  const conflicting = reply.conflicting && sieve.pass(reply.conflicting);
  // Anybody can say so; what stands in the way must be shown.
  if (needsProof.has(reply.status) && !conflicting) return undefined;
  return { status: reply.status, conflicting, detail: reply.detail };
}

/** `asked`: how many it was offered to; `said`: those that answered or failed by now. */
export function storeResult(asked: number, said: readonly Said[]): StoreResult {
  const took = said.filter(({ outcome }) => outcome && isStored(outcome.status));
  return {
    stored: took.length,
    provisional: took.filter(({ outcome }) => outcome?.status === OK_PROVISIONAL).length,
    asked,
    refusals: refusalsOf(said),
    holders: took.map(({ by }) => by).filter((by) => by !== 'self'),
  };
}

function refusalsOf(said: readonly Said[]): readonly StoreRefusals[] {
  const byStatus = new Map<
    StoreStatus,
    { -readonly [K in keyof StoreRefusals]: StoreRefusals[K] }
  >();
  for (const { outcome } of said) {
    if (!outcome || isStored(outcome.status)) continue;
    const { status, conflicting, detail = 0 } = outcome;
    const refusals = byStatus.get(status) ?? { status, count: 0, conflicting: [] };
    byStatus.set(status, refusals);
    refusals.count++;
    if (detail > (refusals.detail ?? 0)) refusals.detail = detail;
    if (conflicting && !refusals.conflicting.some(({ hash }) => equalBytes(hash, conflicting.hash)))
      refusals.conflicting = [...refusals.conflicting, conflicting];
  }
  return [...byStatus.values()];
}
