/**
 * Collects the records under a key from those who should hold them, as they answer. What the
 * answers mean (which owner holds a name, which provider works) its reader decides.
 */
import { type Bytes, equalBytes } from '../base/bytes.ts';
import type { Contact } from '../identity/contact.ts';
import type { SignedRecord } from '../record/envelope.ts';
import type { RecordKind } from '../record/kinds.ts';
import { storedKind } from '../record/registry.ts';
import type { Caller } from './caller.ts';
import { pageOf } from './pages.ts';
import type { GetMode, GetReply, GetRequest, RecordDigest, StoredRecord } from './ports.ts';
import type { LookupResult } from './lookup.ts';
import type { Answer, Ask } from './query.ts';
import { usableContacts } from './received.ts';
import type { RecordSieve } from './sieve.ts';

export interface GatherOptions {
  readonly signal?: AbortSignal | undefined;
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
  /** Asked after each answer; true ends the search. */
  readonly enough?: ((soFar: readonly Gathered[]) => boolean) | undefined;
}

/** What one node answered; nothing held is an answer too. */
export interface Gathered {
  readonly from: Contact | 'self';
  /** Each verified, of the key and kind asked for; withdrawals among them. */
  readonly records: readonly SignedRecord[];
  /** With mode 'digest', instead of records: claims that nobody verified. */
  readonly digests: readonly RecordDigest[];
  /** For our own records, whether each is provisional; undefined where it is not known. */
  readonly provisional: readonly boolean[] | undefined;
}

export interface GatherEnd {
  readonly asked: number;
  /** Responders, this node included when it is a server. */
  readonly answered: number;
  /**
   * Servers that answered, nearest first: where to store a newer record. Empty when it was enough
   * before the nearest were found.
   */
  readonly closest: readonly Contact[];
}

/** Pages that are read of one node … */
const pagesMax = 8;

/**
 * … and where a key holds one record, no more than a change meanwhile explains: who goes on with
 * empty promises, each just before it is due, must not hold up the others' answers.
 */
function pagesMaxOf(kind: RecordKind | undefined): number {
  const values = kind === undefined ? undefined : storedKind(kind)?.valuesPerKeyMax;
  return values === 1 ? 2 : pagesMax;
}

export interface Collecting {
  /** What we hold ourselves; undefined: we do not count, being no server, and hold nothing. */
  readonly own: Gathered | undefined;
  /** Whether we count as one of those who should hold the key. */
  readonly counted: boolean;
  /** Walks to the nodes nearest to the key, asking each; yields what they hold. */
  readonly walk: AsyncGenerator<Gathered, LookupResult>;
  readonly enough: ((soFar: readonly Gathered[]) => boolean) | undefined;
}

/** Our own answer, then those of others as they come, until the walk ends or it is enough. */
export async function* collect({
  own,
  counted,
  walk,
  enough,
}: Collecting): AsyncGenerator<Gathered, GatherEnd> {
  const soFar: Gathered[] = []; // BOUNDED by the requests of one lookup, and ourselves
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

function endOf({ asked, answered, closest }: LookupResult, counted: boolean): GatherEnd {
  const self = counted ? 1 : 0;
  return { asked: asked + self, answered: answered + self, closest };
}

/** What can be said without waiting for the end: how many have answered. */
function earlyResult(soFar: readonly Gathered[]): LookupResult {
  const answered = soFar.filter(({ from }) => from !== 'self').length;
  return { closest: [], asked: answered, answered };
}

export function getRequest(key: Bytes, { mode, ids, minSeq }: GatherOptions): GetRequest {
  return {
    method: 'get',
    key,
    mode: mode ?? 'full',
    ids: ids ?? [],
    minSeq: minSeq ?? 0n,
    cursor: 0,
  };
}

/** What we hold ourselves, in one piece. */
export function ownAnswer(
  held: readonly StoredRecord[],
  request: GetRequest,
  { self, nowMs, sieve }: { self: Bytes; nowMs: number; sieve: RecordSieve },
): Gathered {
  const records: SignedRecord[] = [];
  const digests: RecordDigest[] = [];
  let cursor: number | undefined = 0;
  while (cursor !== undefined) {
    const page = pageOf(held, { ...request, cursor }, { self, nowMs });
    records.push(...sieve.passAll(page.records));
    digests.push(...page.digests);
    cursor = page.next;
  }
  const provisional = records.map(
    (record) =>
      held.find((stored) => equalBytes(stored.record.hash, record.hash))?.provisional ?? false,
  );
  return { from: 'self', records, digests, provisional };
}

/** Asks one node: all pages of what it holds, and whom it knows nearer to the key. */
export function askForRecords(
  request: GetRequest,
  {
    caller,
    sieve,
    k,
    kind,
  }: { caller: Caller; sieve: RecordSieve; k: number; kind: RecordKind | undefined },
): Ask<Gathered> {
  return async (contact, { signal, emit }) => {
    const first = await caller.call(contact, request, signal);
    const replies = [first.reply, ...(await morePages(first.reply, contact))];
    const records = sieve.passAll(replies.flatMap((reply) => reply.records));
    const digests = replies.flatMap((reply) => reply.digests);
    emit({ from: contact, records, digests, provisional: undefined });
    const held = records.length + digests.length > 0;
    const contacts = longest(replies.map((reply) => reply.contacts));
    const { server } = first.info;
    // Records take the room of contacts: then a second question shows who is near.
    if (!held || contacts.length >= k) return answerOf(contact, contacts, server);
    const find = { method: 'find', target: request.key } as const;
    const found = await caller.call(contact, find, signal).catch(() => undefined);
    return answerOf(contact, found?.reply.contacts ?? contacts, server);

    async function morePages({ next }: GetReply, from: Contact): Promise<GetReply[]> {
      const pages: GetReply[] = [];
      let cursor = next;
      while (cursor !== undefined && pages.length < pagesMaxOf(kind) - 1) {
        const more = { ...request, cursor };
        const answered = await caller.call(from, more, signal).catch(() => undefined);
        if (!answered) break; // the pages before are still worth having
        pages.push(answered.reply);
        const after: number | undefined = answered.reply.next;
        cursor = after !== undefined && after > cursor ? after : undefined;
      }
      return pages;
    }
  };
}

function longest(lists: readonly (readonly Contact[])[]): readonly Contact[] {
  return lists.reduce((a, b) => (b.length > a.length ? b : a), []);
}

function answerOf(from: Contact, contacts: readonly Contact[], server: boolean): Answer {
  return { contacts: usableContacts(from, contacts), server };
}
