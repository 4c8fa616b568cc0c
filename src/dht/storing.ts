/** Hands one record to the nodes that should hold it, and adds up what they said. */
import { equalBytes } from '../base/bytes.ts';
import type { Contact } from '../identity/contact.ts';
import type { SignedRecord } from '../record/envelope.ts';
import { isStored, type StoreStatus, storeStatuses } from '../record/kinds.ts';
import type { Caller } from './caller.ts';
import type { RecordSieve } from './sieve.ts';
import type { Outcome } from './storage.ts';

export interface StoreRefusals {
  readonly status: StoreStatus;
  readonly count: number;
  /** The records that stood in the way, verified, each once. */
  readonly conflicting: readonly SignedRecord[];
}

export interface StoreResult {
  /** Nodes that hold the record now, this one included when it is one of them. */
  readonly stored: number;
  /** Nodes that it was offered to, likewise. */
  readonly asked: number;
  /** By status; nodes that did not answer, or did not show what they refuse it for, are in none. */
  readonly refusals: readonly StoreRefusals[];
  /** The other nodes that hold it now. */
  readonly holders: readonly Contact[];
}

interface Said {
  readonly by: Contact | 'self';
  readonly outcome: Outcome | undefined;
}

/** Refusals for the sake of another record. */
const needsProof: ReadonlySet<StoreStatus> = new Set([
  storeStatuses.NAME_TAKEN,
  storeStatuses.SEQ_OLD,
]);

/** Resolves when each target answered or failed; rejects only when `signal` aborts. */
export async function storeAt(
  targets: readonly (Contact | 'self')[],
  {
    record,
    caller,
    sieve,
    storeHere,
    signal,
  }: {
    record: SignedRecord;
    caller: Caller;
    /** For the records that others show as reason for a refusal. */
    sieve: RecordSieve;
    storeHere: () => Promise<Outcome | undefined>;
    signal: AbortSignal;
  },
): Promise<StoreResult> {
  const offer = async (to: Contact): Promise<Outcome | undefined> => {
    const request = { method: 'store', record: record.bytes } as const;
    const { reply } = await caller.call(to, request, signal);
    const conflicting = reply.conflicting && sieve.pass(reply.conflicting);
    // Anybody can say so; what stands in the way must be shown.
    if (needsProof.has(reply.status) && !conflicting) return undefined;
    return { status: reply.status, conflicting };
  };
  const said = await Promise.all(
    targets.map(async (by): Promise<Said> => {
      const asked = by === 'self' ? storeHere() : offer(by);
      return { by, outcome: await asked.catch(() => undefined) };
    }),
  );
  signal.throwIfAborted();
  const took = said.filter(({ outcome }) => outcome && isStored(outcome.status));
  return {
    stored: took.length,
    asked: targets.length,
    refusals: refusalsOf(said),
    holders: took.map(({ by }) => by).filter((by) => by !== 'self'),
  };
}

function refusalsOf(said: readonly Said[]): readonly StoreRefusals[] {
  const byStatus = new Map<StoreStatus, { count: number; conflicting: SignedRecord[] }>();
  for (const { outcome } of said) {
    if (!outcome || isStored(outcome.status)) continue;
    const { status, conflicting } = outcome;
    const refusals = byStatus.get(status) ?? { count: 0, conflicting: [] };
    byStatus.set(status, refusals);
    refusals.count++;
    if (conflicting && !refusals.conflicting.some(({ hash }) => equalBytes(hash, conflicting.hash)))
      refusals.conflicting.push(conflicting);
  }
  return [...byStatus].map(([status, { count, conflicting }]) => ({ status, count, conflicting }));
}
