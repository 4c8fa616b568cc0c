/**
 * Collects the records under a key from those who should hold them, as they answer. What the
 * answers mean (which owner holds a name, which provider works) its reader decides.
 */
import type { Bytes } from '../../base/bytes.ts';
import type { Contact } from '../../identity/contact.ts';
import type { SignedRecord } from '../../record/envelope.ts';
import type { RecordKind } from '../../record/kinds.ts';
import type { Patience } from '../lookup/circle.ts';
import type { LookupResult, Paths, Reach } from '../lookup/lookup.ts';
import type { GetMode, RecordDigest } from '../ports.ts';

export interface GatherOptions {
  readonly signal?: AbortSignal | undefined;
  /**
   * 'near', if left out: until the `width` nearest known have answered or failed; goes on as
   * 'whole' when they held nothing. 'whole': through the storage set, with region queries.
   */
  readonly reach?: Reach | undefined;
  /** For 'near': how many nearest must have answered, k when left out. */
  readonly width?: number | undefined;
  /** 1 when left out; 2 withstands more liars at twice the price. */
  readonly paths?: Paths | undefined;
  /** 'thorough' when left out; 'patient' waits for everybody until they have failed. */
  readonly patience?: Patience | undefined;
  /** Only records of this kind. */
  readonly kind?: RecordKind | undefined;
  /** 'full' when left out. */
  readonly mode?: GetMode | undefined;
  /** For 'by-id': at most two, the first 16 bytes of record hashes. */
  readonly ids?: readonly Bytes[] | undefined;
  /** Records with a lower seq are left out. */
  readonly minSeq?: bigint | undefined;
  /** Names that expired and are still reserved for their owner come as well: look at `expires`. */
  readonly reserved?: boolean | undefined;
  /** Pages that are read of one node; as many as are sensible for the kind when left out. */
  readonly pagesMax?: number | undefined;
  /** Asked after each answer; true ends the search. */
  readonly enough?: ((soFar: readonly Gathered[]) => boolean) | undefined;
}

/** What one node answered; nothing held is an answer too. */
export interface Gathered {
  readonly from: Contact | 'self';
  /** Each verified, of the key and kind asked for; withdrawals among them. */
  readonly records: readonly SignedRecord[];
  /** For each of `records`, whether its holder awaits confirmation (names only). */
  readonly provisional: readonly boolean[];
  /** With mode 'digest', instead of records: claims that nobody verified. */
  readonly digests: readonly RecordDigest[];
  /** Whether it holds more than was read of it; so it says. */
  readonly more: boolean;
}

export interface GatherEnd {
  readonly asked: number;
  /** Responders, this node included when it is a server. */
  readonly answered: number;
  /**
   * Servers that answered of those nearest (of the storage set, for 'whole'), nearest first: the
   * voters, and where to store a newer record. Empty when it was enough before they were known.
   */
  readonly closest: readonly Contact[];
  /**
   * Whether the search ran to its end, and had requests enough for all who should know: only then
   * does finding nothing mean anything.
   */
  readonly complete: boolean;
}

export interface Collecting {
  /** What we hold ourselves; undefined: we do not count, being no server, and hold nothing. */
  readonly own: Gathered | undefined;
  /** Whether we count as one of those who should hold the key. */
  readonly counted: boolean;
  /** Walks to the nodes nearest to the key, asking each; yields what they hold. */
  readonly walk: AsyncGenerator<Gathered, LookupResult>;
  /** Where the answers are put as they come. */
  readonly soFar: Gathered[];
  readonly enough: ((soFar: readonly Gathered[]) => boolean) | undefined;
}

/** Our own answer, then those of others as they come, until the walk ends or it is enough. */
export async function* collect({
  own,
  counted,
  walk,
  soFar,
  enough,
}: Collecting): AsyncGenerator<Gathered, GatherEnd> {
  try {
    if (own) {
      soFar.push(own);
      yield own;
    }
    for (;;) {
      if (enough?.(soFar) === true) return endOf(earlyResult(soFar), counted);
      const step = await walk.next();
      if (step.done === true) return endOf(step.value, counted);
      soFar.push(step.value);
      yield step.value;
    }
  } finally {
    // Ends the requests under way when the reader has had enough.
    await walk.return(earlyResult(soFar));
  }
}

export function holdsNothing({ records, digests }: Gathered): boolean {
  return records.length === 0 && digests.length === 0;
}

function endOf({ asked, answered, closest, complete }: LookupResult, counted: boolean): GatherEnd {
  const self = counted ? 1 : 0;
  return { asked: asked + self, answered: answered + self, closest, complete };
}

/** What can be said without waiting for the end: how many have answered. */
function earlyResult(soFar: readonly Gathered[]): LookupResult {
  const answered = soFar.filter(({ from }) => from !== 'self').length;
  return { closest: [], asked: answered, answered, complete: false };
}
