/**
 * How relays are found: each says under some of a few fixed keys of the DHT where it is, with the
 * records by which providers of content do (docs/spec/relay.md, "Finding relays"). Nothing is
 * believed of what is found there before the relay has given a place.
 */
import { type Abortable, sleep } from '../base/abort.ts';
import { type Bytes, concatBytes, equalBytes, toHex, utf8 } from '../base/bytes.ts';
import { type Random, unixSeconds, type World } from '../base/clock.ts';
import { isAltNetError } from '../base/errors.ts';
import { sha256 } from '../base/hash.ts';
import type { Logger } from '../base/logger.ts';
import { reasonOf } from '../base/reason.ts';
import type { ProviderSearch } from '../content/ports.ts';
import type { Dht } from '../dht/dht.ts';
import { formatMultiaddr, mayVouchFor, networkOf } from '../peer/address.ts';
import { decodePeerAddress, encodePeerAddress, parsePeerAddress } from '../peer/peer-address.ts';
import type { RelayCandidate } from '../peer/relay/relay-client.ts';
import {
  makeProviderRecord,
  parseProvider,
  providerKey,
  providerMultiaddrsMax,
} from '../record/provider.ts';
import type { Signer } from '../record/stamp.ts';

/** One key would have few storers, who would get all the questions, and 64 places. */
const shards = 16;
/** Under so many of them a relay is found. */
const shardsPerRelay = 4;
/** Shards that are asked together; who is found first shall not be whom all choose. */
const shardsAtOnce = 4;
/** Of one search, and of them from one /24 or /48: keys cost nothing. */
const candidatesMax = 128;
const candidatesPerNetworkMax = 2;
const announceMs = 60 * 60_000;
/** While nobody is there who would take it. */
const retryMs = 5000;

/** What stands in place of the hash of some content. */
function multihashOf(shard: number): Bytes {
  const hash = sha256(utf8('altnet/relays/1\0'), Uint8Array.of(shard));
  return concatBytes(Uint8Array.of(0x12, 0x20), hash);
}

/** Where this relay announces itself: by its ID, so that relays spread over the keys. */
function shardsOf(id: Bytes): number[] {
  const [first = 0] = sha256(utf8('altnet/relays/1\0'), id);
  const apart = shards / shardsPerRelay;
  return Array.from({ length: shardsPerRelay }, (_, i) => (first + i * apart) % shards);
}

export interface AnnouncingRelay {
  readonly dht: Pick<Dht, 'store'>;
  readonly signer: Signer;
  readonly addresses: () => readonly string[];
  readonly world: World;
  readonly log: Logger;
}

/** Keeps this relay in the directory until the signal is aborted. */
export async function announceRelay(relay: AnnouncingRelay, signal: AbortSignal): Promise<void> {
  const { world, log } = relay;
  while (!signal.aborted) {
    let delayMs = announceMs * (0.9 + 0.2 * world.random.fraction());
    try {
      if (!(await announceOnce(relay, signal))) delayMs = retryMs;
    } catch (error) {
      if (signal.aborted) return;
      delayMs = retryMs;
      if (!isAltNetError(error, 'NO_PEERS')) {
        log.debug('this relay could not be announced', { why: reasonOf(error) });
      }
    }
    await sleep(world.timers, delayMs, signal).catch(() => undefined);
  }
}

/** Whether somebody took it. */
async function announceOnce(
  { dht, signer, addresses, world }: AnnouncingRelay,
  signal: AbortSignal,
): Promise<boolean> {
  const ways = addresses().flatMap((text) => parsePeerAddress(text) ?? []);
  const direct = ways.filter(({ relayKey }) => relayKey === undefined);
  if (direct.length === 0) return false;
  const multiaddrs = direct.slice(0, providerMultiaddrsMax).map(encodePeerAddress);
  const issued = unixSeconds(world.clock);
  let stored = 0;
  for (const shard of shardsOf(signer.key.id)) {
    const body = { multihash: multihashOf(shard), multiaddrs };
    const record = makeProviderRecord(body, { issued, seq: BigInt(issued) }, signer);
    stored += (await dht.store(record, { signal })).stored;
  }
  return stored > 0;
}

export interface RelaySearch {
  readonly search: ProviderSearch;
  readonly self: Bytes;
  readonly world: Pick<World, 'clock' | 'random'>;
}

/** Relays that say that they are some, in an order drawn by lot. */
export async function* findRelays(
  { search, self, world }: RelaySearch,
  { signal }: Abortable,
): AsyncGenerator<RelayCandidate, void, undefined> {
  const seen = new Set([toHex(self)]); // BOUNDED by candidatesMax
  const perNetwork = new Map<string, number>(); // BOUNDED by candidatesMax
  const order = shuffled(
    Array.from({ length: shards }, (_, i) => i),
    world.random,
  );
  for (let at = 0; at < shards; at += shardsAtOnce) {
    const batch = order.slice(at, at + shardsAtOnce);
    const found: RelayCandidate[] = []; // BOUNDED by candidatesMax
    const gathering = batch.map(async (shard) => {
      for await (const candidate of gather({ search, self, world }, shard, signal)) {
        const name = toHex(candidate.publicKey);
        if (seen.has(name) || seen.size > candidatesMax) continue;
        const network = networkOf(formatMultiaddr(candidate.endpoint));
        const before = network === undefined ? 0 : (perNetwork.get(network) ?? 0);
        if (before >= candidatesPerNetworkMax) continue;
        if (network !== undefined) perNetwork.set(network, before + 1);
        seen.add(name);
        found.push(candidate);
      }
    });
    await Promise.allSettled(gathering);
    signal?.throwIfAborted();
    yield* shuffled(found, world.random);
  }
}

async function* gather(
  { search, world }: RelaySearch,
  shard: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<RelayCandidate & { readonly publicKey: Bytes }, void, undefined> {
  const multihash = multihashOf(shard);
  for await (const { from, records } of search.gather(providerKey(multihash), { signal })) {
    for (const record of records) {
      const body = parseProvider(record);
      const isStale = record.expires < unixSeconds(world.clock);
      if (!body || isStale || !equalBytes(body.multihash, multihash)) continue;
      const [endpoint, ...others] = body.multiaddrs
        .flatMap((bytes) => decodePeerAddress(bytes) ?? [])
        .filter((way) => way.relayKey === undefined && mayVouchFor(from.endpoint, way.endpoint))
        .map((way) => way.endpoint);
      if (endpoint) yield { endpoint, others, publicKey: record.author };
    }
  }
}

/** Fisher and Yates. */
export function shuffled<T>(items: readonly T[], random: Random): T[] {
  const left = [...items];
  return items.flatMap(() => left.splice(Math.floor(random.fraction() * left.length), 1));
}
