/**
 * Reads what one node holds under a key: page after page, or the records that a digest named. It
 * lets through only what is right, and does not know who else is asked.
 */
import { type Bytes, equalBytes } from '../../base/bytes.ts';
import type { Contact } from '../../identity/contact.ts';
import type { SignedRecord } from '../../record/envelope.ts';
import type { RecordKind } from '../../record/kinds.ts';
import { storedKind } from '../../record/registry.ts';
import type { Caller } from '../table/caller.ts';
import type { Gathered, GatherOptions } from './gather.ts';
import { pageOf } from '../holding/pages.ts';
import type { GetReply, GetRequest, RecordDigest, StoredRecord } from '../ports.ts';
import type { Answer, Ask } from '../lookup/query.ts';
import { usableContacts } from '../table/received.ts';
import type { RecordSieve } from './sieve.ts';

/** Pages that are read of one node … */
const pagesOfAllMax = 8;

/** By-id requests carry so many ids. */
const idsPerRequest = 2;

/**
 * … and where a key holds one record, no more than a change meanwhile explains: who goes on with
 * empty promises, each just before it is due, must not hold up the others' answers.
 */
function pagesMaxOf(kind: RecordKind | undefined): number {
  const values = kind === undefined ? undefined : storedKind(kind)?.valuesPerKeyMax;
  return values === 1 ? 2 : pagesOfAllMax;
}

/** Records that passed, each with what its holder says of it. */
interface Sifted {
  readonly records: readonly SignedRecord[];
  readonly provisional: readonly boolean[];
}

export interface Reading {
  readonly caller: Caller;
  readonly sieve: RecordSieve;
  readonly signal: AbortSignal;
}

/** What we hold ourselves, in one piece. */
export function ownAnswer(
  held: readonly StoredRecord[],
  request: GetRequest,
  { self, nowMs, sieve }: { self: Bytes; nowMs: number; sieve: RecordSieve },
): Gathered {
  const passed: SignedRecord[] = [];
  const digests: RecordDigest[] = [];
  let cursor: number | undefined = 0;
  while (cursor !== undefined) {
    const page = pageOf(held, { ...request, cursor }, { self, nowMs });
    passed.push(...sieve.passAll(page.records));
    digests.push(...page.digests);
    cursor = page.next;
  }
  const provisional = passed.map(
    (record) =>
      held.find((stored) => equalBytes(stored.record.hash, record.hash))?.provisional ?? false,
  );
  return { from: 'self', records: passed, provisional, digests, more: false };
}

/** Asks one node: all pages of what it holds, and whom it knows nearer to the key. */
export function askForRecords(
  request: GetRequest,
  {
    caller,
    sieve,
    k,
    kind,
    pagesMax = pagesMaxOf(kind),
  }: {
    caller: Caller;
    sieve: RecordSieve;
    k: number;
    kind: RecordKind | undefined;
    pagesMax?: number | undefined;
  },
): Ask<Gathered> {
  return async (contact, { signal, emit }) => {
    const reading = { caller, sieve, signal };
    const first = await caller.call(contact, request, signal);
    const rest = await pagesAfter(first.reply, { ...reading, contact, request, pagesMax });
    const replies = [first.reply, ...rest];
    const digests = replies.flatMap((reply) => reply.digests);
    const sifted = sift(replies, sieve);
    const more = replies.at(-1)?.next !== undefined;
    emit({ from: contact, ...sifted, digests, more });
    const held = sifted.records.length + digests.length > 0;
    const contacts = longest(replies.map((reply) => reply.contacts));
    const { server } = first.info;
    // Records take the room of contacts: then a second question shows who is near.
    if (!held || contacts.length >= k) return answerOf(contact, contacts, server);
    const find = { method: 'find', target: request.key } as const;
    const found = await caller.call(contact, find, signal).catch(() => undefined);
    return answerOf(contact, found?.reply.contacts ?? contacts, server);
  };
}

/**
 * The records of one holder whose hashes start with `ids`, two per request. Requests that fail cost
 * only their own records; rejects when all of them fail.
 */
export async function readRecords(
  from: Contact,
  { key, ids }: { key: Bytes; ids: readonly Bytes[] },
  { caller, sieve, signal }: Reading,
): Promise<readonly SignedRecord[]> {
  const pairs = Array.from({ length: Math.ceil(ids.length / idsPerRequest) }, (_, i) =>
    ids.slice(i * idsPerRequest, (i + 1) * idsPerRequest),
  );
  const records = new Set<SignedRecord>(); // BOUNDED by two for each pair of ids
  let failure: unknown;
  for (const pair of pairs) {
    const request = getRequest(key, { mode: 'by-id', ids: pair });
    try {
      const { reply } = await caller.call(from, request, signal);
      for (const record of sieve.passAll(reply.records.slice(0, idsPerRequest))) {
        if (pair.some((id) => equalBytes(record.hash.subarray(0, id.length), id))) {
          records.add(record);
        }
      }
    } catch (error) {
      signal.throwIfAborted();
      failure = error;
    }
  }
  if (records.size === 0 && failure !== undefined) throw failure;
  return [...records];
}

/** All that one holder says it holds under `key`: claims that nobody verified, at most 8 pages. */
export async function readDigests(
  from: Contact,
  key: Bytes,
  { caller, signal }: Omit<Reading, 'sieve'>,
): Promise<readonly RecordDigest[]> {
  const request = getRequest(key, { mode: 'digest' });
  const { reply } = await caller.call(from, request, signal);
  const rest = await pagesAfter(reply, {
    caller,
    signal,
    contact: from,
    request,
    pagesMax: pagesOfAllMax,
  });
  return [reply, ...rest].flatMap(({ digests }) => digests);
}

export function getRequest(
  key: Bytes,
  { mode, ids, minSeq }: Pick<GatherOptions, 'mode' | 'ids' | 'minSeq'>,
): GetRequest {
  return {
    method: 'get',
    key,
    mode: mode ?? 'full',
    ids: ids ?? [],
    minSeq: minSeq ?? 0n,
    cursor: 0,
  };
}

async function pagesAfter(
  { next }: GetReply,
  {
    caller,
    contact,
    request,
    pagesMax,
    signal,
  }: Omit<Reading, 'sieve'> & { contact: Contact; request: GetRequest; pagesMax: number },
): Promise<GetReply[]> {
  const pages: GetReply[] = []; // BOUNDED by pagesMax
  let cursor = next;
  while (cursor !== undefined && pages.length < pagesMax - 1) {
    const more = { ...request, cursor };
    const answered = await caller.call(contact, more, signal).catch(() => undefined);
    if (!answered) break; // the pages before are still worth having
    pages.push(answered.reply);
    const after: number | undefined = answered.reply.next;
    cursor = after !== undefined && after > cursor ? after : undefined;
  }
  return pages;
}

function sift(replies: readonly GetReply[], sieve: RecordSieve): Sifted {
  const found = new Map<SignedRecord, boolean>(); // BOUNDED by the records of pagesMax pages
  for (const reply of replies) {
    reply.records.forEach((bytes, i) => {
      const record = sieve.pass(bytes);
      if (record && !found.has(record)) found.set(record, reply.provisional?.[i] ?? false);
    });
  }
  return { records: [...found.keys()], provisional: [...found.values()] };
}

function longest(lists: readonly (readonly Contact[])[]): readonly Contact[] {
  return lists.reduce((a, b) => (b.length > a.length ? b : a), []);
}

function answerOf(from: Contact, contacts: readonly Contact[], server: boolean): Answer {
  return { contacts: usableContacts(from, contacts), server };
}
