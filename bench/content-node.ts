/**
 * A node of content alone: the real store, the real libp2p host and sites, without a DHT. Providers
 * are handed over as records, so that what is measured is the exchange and not the search.
 */
import { randomBytes } from 'node:crypto';
import { systemWorld } from '../src/base/clock.ts';
import { silentLogger } from '../src/base/logger.ts';
import type { Publisher, ProviderSearch } from '../src/content/ports.ts';
import { Reception } from '../src/content/reception/reception.ts';
import { Sites } from '../src/content/sites.ts';
import { contactOf } from '../src/identity/contact.ts';
import { SigningKey } from '../src/identity/key.ts';
import { PeerHost } from '../src/peer/host.ts';
import type { SignedRecord } from '../src/record/envelope.ts';
import { openStore, type Store } from '../src/store/store.ts';

export interface ContentNode extends AsyncDisposable {
  readonly sites: Sites;
  /** The provider record that was published last. */
  readonly announced: () => SignedRecord | undefined;
}

/** Room for everything that a bench keeps in one store; what is put is counted against it. */
const storeBudgetBytes = 8 * 1024 ** 3;

export function openBenchStore(folder: string): Promise<Store> {
  return openStore({
    folder,
    world: systemWorld,
    log: silentLogger,
    budgetBytes: storeBudgetBytes,
  });
}

/** `providers`: what a search finds, whatever is searched for. */
export async function startContentNode(
  folder: string,
  providers: readonly SignedRecord[] = [],
): Promise<ContentNode> {
  const stack = new AsyncDisposableStack();
  const store = stack.use(await openBenchStore(folder));
  const key = new SigningKey('node', randomBytes(32));
  const host = stack.use(new PeerHost({ key, listen: [{ host: '127.0.0.1', port: 0 }] }));
  await host.start();
  let last: SignedRecord | undefined;
  const publisher: Publisher = {
    publish(record) {
      last = record;
      return Promise.resolve({ stored: 1 });
    },
    list: () => [],
    under: () => [],
  };
  const search: ProviderSearch = {
    async *gather() {
      const endpoint = { ip: Uint8Array.of(127, 0, 0, 1), port: 1 };
      yield { from: contactOf(new Uint8Array(32), endpoint), records: providers };
      return { isConclusive: true };
    },
  };
  const signer = { key, network: new Uint8Array(16) };
  const { timers } = systemWorld;
  const reception = stack.use(new Reception({ host, timers, log: silentLogger }));
  const parts = { ...store, publisher, search, connections: host, reception, signer };
  const sites = stack.use(new Sites(parts));
  await sites.start();
  return {
    sites,
    announced: () => last,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
