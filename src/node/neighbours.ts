/**
 * Joins the nodes that are found in the local network. What was announced there is a hint: it is
 * asked who is at the address, as with one that the user gave, and only that key is joined at.
 */
import { type Bytes, equalBytes } from '../base/bytes.ts';
import { AltNetError } from '../base/errors.ts';
import { type Endpoint, formatEndpoint, scopeOf } from '../base/address.ts';
import type { Logger } from '../base/logger.ts';
import { reasonOf } from '../base/reason.ts';
import type { Transport } from '../dht/ports.ts';
import type { TableView } from '../dht/table/table.ts';
import { type Contact, contactOf } from '../identity/contact.ts';
import { keyId } from '../identity/key.ts';
import type { LanHint } from '../mdns/lan-discovery.ts';

export interface NeighboursDeps {
  readonly transport: Pick<Transport, 'identify'>;
  readonly dht: {
    join(seeds: readonly Contact[], options: { signal: AbortSignal }): Promise<number>;
    readonly table: { contacts(): readonly Contact[] };
  };
  readonly log: Logger;
}

/** Where a node was met in this machine's own host or network, by UDP; TCP has the same port. */
export function neighbourAt(
  table: Pick<TableView, 'contacts'>,
  publicKey: Bytes,
): Endpoint | undefined {
  const id = keyId(publicKey);
  return table
    .contacts()
    .find((contact) => equalBytes(contact.id, id) && scopeOf(contact.endpoint.ip) !== 'global')
    ?.endpoint;
}

/** More are dropped: their nodes are found by the next announcement, or by those who are joined. */
const pendingMax = 8;

export class Neighbours {
  readonly #deps: NeighboursDeps;
  readonly #lifetime = new AbortController();
  #pending = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(deps: NeighboursDeps) {
    this.#deps = deps;
  }

  readonly found = (hint: LanHint): void => {
    if (this.#pending >= pendingMax || this.#lifetime.signal.aborted || this.#knows(hint)) return;
    this.#pending++;
    // One after the other: each join looks around.
    this.#last = this.#last.then(() => this.#join(hint)).finally(() => this.#pending--);
  };

  async stop(): Promise<void> {
    this.#lifetime.abort(new AltNetError('ABORTED', {}));
    await this.#last;
  }

  #knows({ publicKey, endpoint }: LanHint): boolean {
    const { id } = contactOf(publicKey, endpoint);
    return this.#deps.dht.table.contacts().some((contact) => equalBytes(contact.id, id));
  }

  /** Never rejects. */
  async #join({ publicKey, endpoint }: LanHint): Promise<void> {
    const { transport, dht, log } = this.#deps;
    const { signal } = this.#lifetime;
    if (signal.aborted) return;
    try {
      const contact = await transport.identify(endpoint, { signal });
      if (!equalBytes(contact.publicKey, publicKey)) return;
      await dht.join([contact], { signal });
      log.debug('found a node in the local network', { address: formatEndpoint(endpoint) });
    } catch (error) {
      log.debug('an announcement in the local network was wrong', { why: reasonOf(error) });
    }
  }
}
