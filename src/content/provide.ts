/**
 * Tells the network that this node holds some content, and when it no longer does: provider records
 * signed by the node key. What is said of one root is said in order, and only if true by then.
 */
import type { Abortable } from '../base/abort.ts';
import { type Bytes, toHex } from '../base/bytes.ts';
import { unixSeconds, type Clock } from '../base/clock.ts';
import { isAltNetError } from '../base/errors.ts';
import { KeyedTurns } from '../base/keyed-turns.ts';
import { LruMap } from '../base/limits.ts';
import { isPutOff, isUnheard, waitMsOf } from '../dht/placing/publication.ts';
import { encodePeerAddress, parsePeerAddress } from '../peer/peer-address.ts';
import type { SignedRecord } from '../record/envelope.ts';
import { recordKinds } from '../record/kinds.ts';
import {
  makeProviderRecord,
  makeProviderTombstone,
  multihashOf as multihashIn,
  providerKey,
  providerMultiaddrsMax,
} from '../record/provider.ts';
import type { Signer, Stamp } from '../record/stamp.ts';
import type { Connections, Published, Publisher } from './ports.ts';
import { hashKey, multihashOf } from './dag/root.ts';

export interface AnnouncerDeps {
  readonly publisher: Publisher;
  readonly connections: Pick<Connections, 'addresses'>;
  readonly signer: Signer;
  readonly clock: Clock;
  /** Whether this node holds all of it at this moment. */
  readonly isHeld: (hash: Bytes) => boolean;
}

/** What became of one announcement. */
export interface Announced {
  /** So many nodes have the record … */
  readonly stored: number;
  /** … of so many that were asked to take it; 0 when there was nobody, or nothing to say. */
  readonly asked: number;
  /** Of those that have it now, the node IDs of the others as text. */
  readonly holders: readonly string[];
  /** More than half of those want it later: so much. 0 when they do not. */
  readonly waitMs: number;
  /** No other node has it, and that may pass soon: they were silent, or want it later. */
  readonly isPending: boolean;
}

const nothing: Announced = { stored: 0, asked: 0, holders: [], waitMs: 0, isPending: false };

/** SHA-256 as a multihash: two octets before the hash. */
const multihashHeadBytes = 2;

export class Announcer {
  readonly #deps: AnnouncerDeps;
  readonly #turns = new KeyedTurns();
  /** What was signed last for a root, so that two records of one second have an order. */
  readonly #lastSeq = new LruMap<string, bigint>(8192); // BOUNDED by its size

  constructor(deps: AnnouncerDeps) {
    this.#deps = deps;
  }

  /** How many nodes took the record, see `announce`. */
  async provide(content: { readonly hash: Bytes }, options: Abortable = {}): Promise<number> {
    return (await this.announce(content, options)).stored;
  }

  /**
   * Nobody takes the record when this node cannot be reached by others, knows nobody, or does not
   * hold the content any more. The publisher brings it out later if nobody is there now.
   */
  announce({ hash }: { readonly hash: Bytes }, options: Abortable = {}): Promise<Announced> {
    return this.#turns.run(hashKey(hash), async () => {
      const { connections, signer, isHeld } = this.#deps;
      const ways = connections.addresses().flatMap((text) => parsePeerAddress(text) ?? []);
      if (ways.length === 0 || !isHeld(hash)) return nothing;
      const multiaddrs = ways.slice(0, providerMultiaddrsMax).map(encodePeerAddress);
      const multihash = multihashOf({ codec: 'raw', hash });
      const body = { multihash, multiaddrs };
      return this.#publish(makeProviderRecord(body, this.#stamp(hash), signer), options);
    });
  }

  /** Takes back what was said of a root that is gone; nothing to do for one that never was. */
  async withdraw(hash: Bytes, options: Abortable = {}): Promise<void> {
    await this.#turns.run(hashKey(hash), async () => {
      const { publisher, signer, isHeld } = this.#deps;
      const multihash = multihashOf({ codec: 'raw', hash });
      if (isHeld(hash) || publisher.under(providerKey(multihash)).length === 0) return;
      const tombstone = makeProviderTombstone(multihash, this.#stamp(hash), signer);
      await this.#publish(tombstone, options);
    });
  }

  /** Hashes of the roots that this node says it holds. */
  announced(): Bytes[] {
    return this.#deps.publisher
      .list(recordKinds.provider)
      .flatMap(({ record }) => multihashIn(record)?.slice(multihashHeadBytes) ?? []);
  }

  /** The time as version: it grows without anything being remembered. */
  #stamp(hash: Bytes): Stamp {
    const issued = unixSeconds(this.#deps.clock);
    const key = hashKey(hash);
    const last = this.#lastSeq.get(key) ?? this.#publishedSeq(hash);
    const seq = last >= BigInt(issued) ? last + 1n : BigInt(issued);
    this.#lastSeq.set(key, seq);
    return { issued, seq };
  }

  #publishedSeq(hash: Bytes): bigint {
    const key = providerKey(multihashOf({ codec: 'raw', hash }));
    const known = this.#deps.publisher.under(key).map(({ record }) => record.seq);
    return known.reduce((max, seq) => (seq > max ? seq : max), 0n);
  }

  async #publish(record: SignedRecord, options: Abortable): Promise<Announced> {
    try {
      return announcedBy(await this.#deps.publisher.publish(record, options));
    } catch (error) {
      // The publisher keeps the record and brings it out as soon as there is somebody to take it.
      if (isAltNetError(error, 'NO_PEERS')) return nothing;
      throw error;
    }
  }
}

function announcedBy({
  stored,
  asked = stored,
  refusals = [],
  holders = [],
}: Published): Announced {
  const result = { asked, refusals };
  const waitMs = isPutOff(result) ? waitMsOf(result) : 0;
  const mayPass = isUnheard({ asked, holders, refusals }) || waitMs > 0;
  const isPending = mayPass && holders.length === 0 && stored < asked;
  return { stored, asked, holders: holders.map(({ id }) => toHex(id)), waitMs, isPending };
}
