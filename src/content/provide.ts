/** Tells the network that this node holds some content: provider records signed by the node key. */
import { unixSeconds, type Clock } from '../base/clock.ts';
import { encodeMultiaddr, parseMultiaddr } from '../peer/address.ts';
import { makeProviderRecord, providerMultiaddrsMax } from '../record/provider.ts';
import type { Signer } from '../record/stamp.ts';
import type { Connections, Publisher } from './ports.ts';
import { type Link, multihashOf } from './root.ts';

export class Announcer {
  readonly #publisher: Publisher;
  readonly #connections: Connections;
  readonly #signer: Signer;
  readonly #clock: Clock;

  constructor(
    publisher: Publisher,
    connections: Connections,
    { signer, clock }: { signer: Signer; clock: Clock },
  ) {
    this.#publisher = publisher;
    this.#connections = connections;
    this.#signer = signer;
    this.#clock = clock;
  }

  /** How many nodes took the record; 0 when this node cannot be reached by others. */
  async provide(
    link: Link,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<number> {
    const endpoints = this.#connections.addresses().flatMap((text) => parseMultiaddr(text) ?? []);
    if (endpoints.length === 0) return 0;
    const multiaddrs = endpoints.slice(0, providerMultiaddrsMax).map(encodeMultiaddr);
    const issued = unixSeconds(this.#clock);
    // The time as version: it grows without anything being remembered.
    const stamp = { issued, seq: BigInt(issued) };
    const record = makeProviderRecord(
      { multihash: multihashOf(link), multiaddrs },
      stamp,
      this.#signer,
    );
    const { stored } = await this.#publisher.publish(record, options);
    return stored;
  }
}
