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

/** What a search for candidates goes by. */
export interface CandidateQuest {
  readonly link: Link;
  /** Tried before anybody is asked. */
  readonly known: readonly ProviderContact[];
  /** Whether they could be reached, by key: these are tried by others. */
  readonly guessed: ReadonlyMap<string, Promise<boolean>>;
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

/** Those that say they have it, each once, as they are found. */
export async function* candidatesOf(
  sources: ProviderSources,
  { link, known, guessed, signal, onFailure }: CandidateQuest,
): AsyncGenerator<ProviderContact, void, undefined> {
  const seen = new Set([toHex(sources.self)]); // BOUNDED by candidatesMax
  for (const contact of known) {
    const key = toHex(contact.publicKey);
    if (isLeftAlone(sources, contact) || seen.has(key)) continue;
    seen.add(key);
    yield contact;
  }
  const multihash = multihashOf(link);
  const slow: ProviderContact[] = []; // BOUNDED by candidatesMax
  const met: ProviderContact[] = []; // BOUNDED by the guesses
  try {
    for await (const found of sources.search.gather(providerKey(multihash), { signal })) {
      for (const record of found.records) {
        const contact = contactOf(record, { multihash, from: found.from.endpoint, sources });
        const key = contact && toHex(contact.publicKey);
        if (!contact || key === undefined || seen.has(key)) continue;
        if (seen.size > candidatesMax) return;
        seen.add(key);
        if (guessed.has(key)) met.push(contact);
        else if (sources.slow.has(contact.publicKey)) slow.push(contact);
        else yield contact;
      }
    }
  } catch (error) {
    if (!signal.aborted) onFailure(error);
  }
  // It may have moved since.
  for (const contact of met) {
    if (!(await guessed.get(toHex(contact.publicKey)))) yield contact;
  }
  yield* slow;
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
