/**
 * Finds peers that say they hold some content, and knows which are better left alone. It connects
 * to none.
 */
import type { Endpoint } from '../../base/address.ts';
import { type Bytes, equalBytes, toHex } from '../../base/bytes.ts';
import { type Clock, type Timers, unixSeconds } from '../../base/clock.ts';
import { LruMap } from '../../base/limits.ts';
import { mayVouchFor } from '../../peer/address.ts';
import { decodePeerAddress, formatPeerAddress } from '../../peer/peer-address.ts';
import type { SignedRecord } from '../../record/envelope.ts';
import { parseProvider, providerKey } from '../../record/provider.ts';
import type { Connections, ProviderSearch } from '../ports.ts';
import { type Link, multihashOf } from '../dag/root.ts';
import type { Reception } from '../reception/reception.ts';
import type { StreamSlots } from '../exchange/stream-slots.ts';

/** Where a provider is reached. */
export interface ProviderContact {
  readonly publicKey: Bytes;
  readonly addresses: readonly string[];
}

/** Peers that are better left alone for a while. */
export class BadPeers {
  readonly #clock: Clock;
  readonly #forMs: number;
  readonly #until = new LruMap<string, number>(4096); // BOUNDED by its size

  constructor(clock: Clock, forMs: number) {
    this.#clock = clock;
    this.#forMs = forMs;
  }

  add(publicKey: Bytes): void {
    this.#until.set(toHex(publicKey), this.#clock.monotonicMs() + this.#forMs);
  }

  has(publicKey: Bytes): boolean {
    const until = this.#until.get(toHex(publicKey));
    return until !== undefined && until > this.#clock.monotonicMs();
  }
}

/** Above the 64 that a storer keeps for one key, as some may hold others than most. */
export const candidatesMax = 256;

export interface ProviderSources {
  readonly search: ProviderSearch;
  readonly connections: Connections;
  /** For large fetches; left out: this thread receives all. */
  readonly reception?: Pick<Reception, 'open'> | undefined;
  /** Not asked at all. */
  readonly bad: BadPeers;
  /** Asked when there is nobody else. */
  readonly slow: BadPeers;
  readonly slots: StreamSlots;
  readonly clock: Clock;
  readonly timers: Timers;
  /** This node's own key: it is no provider to itself. */
  readonly self: Bytes;
}

/** Who may have it, and is tried before anybody said so. */
export interface Guess {
  readonly contact: ProviderContact;
  readonly isReached: Promise<boolean>;
}

/** What a search for candidates goes by. */
export interface CandidateQuest {
  readonly link: Link;
  /** Tried before anybody is asked. */
  readonly known: readonly ProviderContact[];
  /** By key: these are tried by others. */
  readonly guessed: ReadonlyMap<string, Guess>;
  readonly signal: AbortSignal;
  /** Why a search was of no use. */
  readonly onFailure: (error: unknown) => void;
}

/** Whether nobody should turn to it unless there is nobody else, or at all. */
export function isLeftAlone(
  { bad, slow, self }: ProviderSources,
  { publicKey }: ProviderContact,
): boolean {
  return bad.has(publicKey) || slow.has(publicKey) || equalBytes(publicKey, self);
}

/** How often one provider comes again because a newer record names other ways to it. */
const movesMax = 4;

/** What is known of the ways to a provider. */
interface Ways {
  readonly addresses: Set<string>; // BOUNDED by movesMax records
  /** Of the newest record; left out: it was known before the search. */
  seq?: bigint;
  moves: number;
}

/**
 * Those that say they have it, as they are found: each once, and again when a newer record, which
 * not every storer has, tells of another way to it.
 */
export class Candidates {
  readonly #sources: ProviderSources;
  readonly #quest: CandidateQuest;
  readonly #seen = new Map<string, Ways>(); // BOUNDED by candidatesMax, the known and the guesses
  /** By key, the newest that the search told. BOUNDED likewise. */
  readonly #found = new Map<string, ProviderContact>();
  #isConclusive = false;

  constructor(sources: ProviderSources, quest: CandidateQuest) {
    this.#sources = sources;
    this.#quest = quest;
  }

  /** Where the search says that it is reached by now; undefined when it tells nothing of it. */
  found({ publicKey }: ProviderContact): ProviderContact | undefined {
    return this.#found.get(toHex(publicKey));
  }

  /** Whether the last search heard of enough of those who should know. */
  get isConclusive(): boolean {
    return this.#isConclusive;
  }

  async *all(): AsyncGenerator<ProviderContact, void, undefined> {
    const { known, guessed } = this.#quest;
    for (const contact of known) {
      const key = toHex(contact.publicKey);
      if (isLeftAlone(this.#sources, contact) || this.#seen.has(key)) continue;
      this.#note(key, contact);
      yield contact;
    }
    for (const [key, { contact }] of guessed) this.#note(key, contact);
    const slow: ProviderContact[] = []; // BOUNDED by candidatesMax
    for await (const contact of this.again()) {
      if (this.#sources.slow.has(contact.publicKey)) slow.push(contact);
      else yield contact;
    }
    // It may have moved since.
    for (const [key, { isReached }] of guessed) {
      const met = this.#found.get(key);
      const hasMoved = this.#seen.get(key)?.moves !== 0; // then it was given already
      if (met && !hasMoved && !(await isReached)) yield met;
    }
    yield* slow;
  }

  /** Searches; gives those that no search before gave, and those that have moved. */
  async *again(
    how: { readonly isPatient?: boolean } = {},
  ): AsyncGenerator<ProviderContact, void, undefined> {
    const { link, signal, onFailure } = this.#quest;
    const multihash = multihashOf(link);
    const sources = this.#sources;
    const search = sources.search.gather(providerKey(multihash), { signal, ...how });
    this.#isConclusive = true; // one that fails, or finds that many, need not be made anew
    try {
      for (;;) {
        const step = await search.next();
        if (step.done === true) {
          this.#isConclusive = step.value.isConclusive;
          return;
        }
        const { from, records } = step.value;
        for (const record of records) {
          const contact = contactOf(record, { multihash, from: from.endpoint, sources });
          if (contact && this.#isNews(contact, record.seq)) yield contact;
          if (this.#found.size >= candidatesMax) return;
        }
      }
    } catch (error) {
      if (!signal.aborted) onFailure(error);
    } finally {
      await search.return({ isConclusive: true });
    }
  }

  #isNews(contact: ProviderContact, seq: bigint): boolean {
    const key = toHex(contact.publicKey);
    if (equalBytes(contact.publicKey, this.#sources.self)) return false;
    const ways = this.#seen.get(key);
    if (ways?.seq !== undefined && seq <= ways.seq) return false;
    if (!ways && this.#found.size >= candidatesMax) return false;
    this.#found.set(key, contact);
    if (!ways) {
      this.#note(key, contact, seq);
      return true;
    }
    ways.seq = seq;
    const isMoved = contact.addresses.some((address) => !ways.addresses.has(address));
    if (!isMoved || ways.moves >= movesMax) return false;
    ways.moves++;
    for (const address of contact.addresses) ways.addresses.add(address);
    return true;
  }

  #note(key: string, { addresses }: ProviderContact, seq?: bigint): void {
    const ways: Ways = { addresses: new Set(addresses), moves: 0 };
    if (seq !== undefined) ways.seq = seq;
    this.#seen.set(key, ways);
  }
}

export interface Finding {
  readonly multihash: Bytes;
  /** Who told of it. */
  readonly from: Endpoint;
  readonly sources: Pick<ProviderSources, 'bad' | 'clock'>;
}

/** Where the author of a provider record is reached; undefined when it is of no use. */
export function contactOf(
  record: SignedRecord,
  { multihash, from, sources }: Finding,
): ProviderContact | undefined {
  const body = parseProvider(record);
  if (!body || !equalBytes(body.multihash, multihash)) return undefined;
  const stale = record.expires < unixSeconds(sources.clock);
  if (stale || sources.bad.has(record.author)) return undefined;
  // Of a relay's address as of any other: it is dialled as well.
  const addresses = body.multiaddrs
    .flatMap((bytes) => decodePeerAddress(bytes) ?? [])
    .filter(({ endpoint }) => mayVouchFor(from, endpoint))
    .map(formatPeerAddress);
  return addresses.length > 0 ? { publicKey: record.author, addresses } : undefined;
}
