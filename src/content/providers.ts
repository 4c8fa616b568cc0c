/**
 * Finds peers that say they hold some content and connects to several at a time, because most
 * addresses in a network of volunteers are dead. Who opened first comes first. It does not know
 * what is fetched from them.
 */
import type { Endpoint } from '../base/address.ts';
import { type Bytes, equalBytes, toHex } from '../base/bytes.ts';
import { type Clock, unixSeconds } from '../base/clock.ts';
import { AltNetError } from '../base/errors.ts';
import { LruMap } from '../base/limits.ts';
import { decodeMultiaddr, formatMultiaddr, mayVouchFor } from '../peer/address.ts';
import type { ByteStream } from '../peer/stream.ts';
import type { SignedRecord } from '../record/envelope.ts';
import { parseProvider, providerKey } from '../record/provider.ts';
import { syncProtocol } from './frames.ts';
import type { Connections, ProviderSearch } from './ports.ts';
import { type Link, multihashOf } from './root.ts';
import { Tide } from './tide.ts';

/** Where a provider is reached. */
export interface ProviderContact {
  readonly publicKey: Bytes;
  readonly addresses: readonly string[];
}

/** Peers that broke the rules are left alone for a while. */
export class BadPeers {
  readonly #clock: Clock;
  readonly #until = new LruMap<string, number>(4096); // BOUNDED by its size

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(publicKey: Bytes): void {
    this.#until.set(toHex(publicKey), this.#clock.monotonicMs() + badForMs);
  }

  has(publicKey: Bytes): boolean {
    const until = this.#until.get(toHex(publicKey));
    return until !== undefined && until > this.#clock.monotonicMs();
  }
}

const badForMs = 10 * 60_000;
const dialsAtOnce = 4;
const candidatesMax = 256;

export interface ProviderSources {
  readonly search: ProviderSearch;
  readonly connections: Connections;
  readonly bad: BadPeers;
  readonly clock: Clock;
  /** This node's own key: it is no provider to itself. */
  readonly self: Bytes;
}

/** An open stream to a provider. */
export interface OpenProvider {
  readonly contact: ProviderContact;
  readonly stream: ByteStream;
}

export interface ProviderQuest {
  readonly link: Link;
  /** Tried before anybody is asked. */
  readonly known: ProviderContact | undefined;
  readonly signal: AbortSignal;
  /** Why a candidate was of no use. */
  readonly onFailure: (error: unknown) => void;
}

/**
 * Streams to providers in the order in which they opened. A few dials run at the same time, and
 * none while a stream stands ready and unused.
 */
export class ProviderDialer {
  readonly #sources: ProviderSources;
  readonly #quest: ProviderQuest;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #candidates: AsyncGenerator<ProviderContact, void, undefined>;
  readonly #change = new Tide();
  readonly #ready: OpenProvider[] = []; // BOUNDED by dialsAtOnce
  #dialers = 0;

  constructor(sources: ProviderSources, quest: ProviderQuest) {
    this.#sources = sources;
    this.#quest = quest;
    this.#signal = AbortSignal.any([this.#stop.signal, quest.signal]);
    this.#candidates = candidatesOf(sources, { ...quest, signal: this.#signal });
  }

  start(): void {
    for (let i = 0; i < dialsAtOnce; i++) {
      this.#dialers++;
      void this.#dial().finally(() => {
        this.#dialers--;
        this.#change.rise();
      });
    }
  }

  /** The next open stream, which the caller must close; undefined when no more are to be had. */
  async next(): Promise<OpenProvider | undefined> {
    for (;;) {
      const ready = this.#ready.shift();
      if (ready) {
        this.#change.rise();
        return ready;
      }
      if (this.#dialers === 0 || this.#signal.aborted) return undefined;
      await this.#change.next();
    }
  }

  stop(): void {
    this.#stop.abort(new AltNetError('ABORTED', {}));
    for (const { stream } of this.#ready.splice(0)) void stream.close();
    this.#change.rise();
  }

  async #dial(): Promise<void> {
    const signal = this.#signal;
    while (!signal.aborted) {
      if (this.#ready.length > 0) {
        await this.#change.next();
        continue;
      }
      const { done, value: contact } = await this.#candidates.next();
      if (done === true) return;
      try {
        const stream = await this.#sources.connections.open(contact, syncProtocol, { signal });
        if (this.#stop.signal.aborted) return void stream.close();
        this.#ready.push({ contact, stream });
        this.#change.rise();
      } catch (error) {
        if (!signal.aborted) this.#quest.onFailure(error);
      }
    }
  }
}

async function* candidatesOf(
  sources: ProviderSources,
  { link, known, signal, onFailure }: ProviderQuest,
): AsyncGenerator<ProviderContact, void, undefined> {
  const seen = new Set([toHex(sources.self)]); // BOUNDED by candidatesMax
  if (known && !sources.bad.has(known.publicKey)) {
    seen.add(toHex(known.publicKey));
    yield known;
  }
  const multihash = multihashOf(link);
  try {
    for await (const found of sources.search.gather(providerKey(multihash), { signal })) {
      for (const record of found.records) {
        const contact = contactOf(record, { multihash, from: found.from.endpoint, sources });
        if (!contact || seen.has(toHex(contact.publicKey))) continue;
        if (seen.size > candidatesMax) return;
        seen.add(toHex(contact.publicKey));
        yield contact;
      }
    }
  } catch (error) {
    if (!signal.aborted) onFailure(error);
  }
}

interface Finding {
  readonly multihash: Bytes;
  /** Who told of it. */
  readonly from: Endpoint;
  readonly sources: ProviderSources;
}

function contactOf(
  record: SignedRecord,
  { multihash, from, sources }: Finding,
): ProviderContact | undefined {
  const body = parseProvider(record);
  if (!body || !equalBytes(body.multihash, multihash)) return undefined;
  const stale = record.expires < unixSeconds(sources.clock);
  if (stale || sources.bad.has(record.author)) return undefined;
  const endpoints = body.multiaddrs.flatMap((bytes) => decodeMultiaddr(bytes) ?? []);
  const addresses = endpoints.filter((to) => mayVouchFor(from, to)).map(formatMultiaddr);
  return addresses.length > 0 ? { publicKey: record.author, addresses } : undefined;
}
