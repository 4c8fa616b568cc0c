/**
 * Nodes that exchange content over real libp2p connections on loopback, with the DHT replaced by a
 * list of provider records that all of them see. For tests of the content module.
 */
import { randomBytes } from 'node:crypto';
import type { TestContext } from 'node:test';
import { parseEndpoint } from '../../src/base/address.ts';
import { type Bytes, toHex } from '../../src/base/bytes.ts';
import type { ProviderSearch, Publisher } from '../../src/content/ports.ts';
import { Sites, type SitesOptions } from '../../src/content/sites.ts';
import { contactOf } from '../../src/identity/contact.ts';
import { SigningKey } from '../../src/identity/key.ts';
import { PeerHost } from '../../src/peer/host.ts';
import type { SignedRecord } from '../../src/record/envelope.ts';
import { networkId, networkProfiles } from '../../src/record/network.ts';
import { atEnd } from './cleanup.ts';
import { MemoryBlocks, MemoryHoldings } from './memory-blocks.ts';

/** What the DHT would hold. BOUNDED by the test. */
export class RecordBoard implements Publisher, ProviderSearch {
  readonly #records = new Map<string, SignedRecord[]>();
  searches = 0;

  publish(record: SignedRecord): Promise<{ stored: number }> {
    const key = toHex(record.key);
    const others = (this.#records.get(key) ?? []).filter(
      (one) => toHex(one.author) !== toHex(record.author),
    );
    this.#records.set(key, [...others, record]);
    return Promise.resolve({ stored: 1 });
  }

  list(): [] {
    return [];
  }

  async *gather(key: Bytes): ReturnType<ProviderSearch['gather']> {
    this.searches++;
    const endpoint = parseEndpoint('127.0.0.1:9') ?? { ip: new Uint8Array(4), port: 9 };
    const from = contactOf(new Uint8Array(32), endpoint);
    yield { from, records: this.#records.get(toHex(key)) ?? [] };
  }

  providers(): number {
    return [...this.#records.values()].flat().length;
  }
}

export interface ContentNode {
  readonly key: SigningKey;
  readonly host: PeerHost;
  readonly blocks: MemoryBlocks;
  readonly holdings: MemoryHoldings;
  readonly sites: Sites;
}

export async function startContentNode(
  t: TestContext,
  board: RecordBoard,
  options: SitesOptions = {},
): Promise<ContentNode> {
  const key = new SigningKey('node', randomBytes(32));
  const host = new PeerHost({ key, listen: [{ host: '127.0.0.1', port: 0 }] });
  await host.start();
  atEnd(t, () => host.stop());
  const blocks = new MemoryBlocks();
  const holdings = new MemoryHoldings(blocks);
  const signer = { key, network: networkId(networkProfiles.local) };
  const sites = new Sites(
    { blocks, holdings, publisher: board, search: board, connections: host, signer },
    options,
  );
  await sites.start();
  atEnd(t, () => sites.stop());
  return { key, host, blocks, holdings, sites };
}
