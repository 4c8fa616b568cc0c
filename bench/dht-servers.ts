/**
 * Server nodes of bench/dht.ts, several in one process: DHT and transport as the product composes
 * them, records in memory. What they cost is not measured.
 */
import { systemWorld } from '../src/base/clock.ts';
import { sha256 } from '../src/base/hash.ts';
import { silentLogger } from '../src/base/logger.ts';
import { Dht } from '../src/dht/dht.ts';
import { type Contact, contactOf } from '../src/identity/contact.ts';
import { SigningKey } from '../src/identity/key.ts';
import { networkId, networkProfiles } from '../src/record/network.ts';
import { UdpTransport } from '../src/rpc/transport.ts';
import { MemoryRecordStore } from '../test/support/memory-store.ts';
import { answerWith } from './forked.ts';

export interface StartServers {
  /** Of the first; each has its own number. */
  readonly number: number;
  readonly count: number;
  /** Where to join. */
  readonly seeds: readonly Contact[];
}

/** When all are there: to look around once more. */
export interface MeetOthers {
  readonly meet: readonly Contact[];
}

export interface StartedServers {
  readonly contacts: readonly Contact[];
}

const profile = networkProfiles.local;
const network = networkId(profile);
const host = '127.0.0.1';

const started: { readonly dht: Dht; readonly contact: Contact }[] = [];

async function startServer(number: number, seeds: readonly Contact[]): Promise<void> {
  const key = new SigningKey('node', sha256(Uint8Array.of(number)));
  const shared = { world: systemWorld, network, log: silentLogger, isServer: () => true };
  const transport = new UdpTransport(
    { ...shared, key, contactRecord: () => undefined },
    // One process answers for many here: that must not look like too much for one node.
    { listen: [{ host, port: 0 }], dhShare: 1, handshakesPerSecondMax: 100_000 },
  );
  await transport.start();
  const dht = new Dht({
    ...shared,
    self: () => key,
    transport,
    records: new MemoryRecordStore(),
    profile,
    contactRecord: () => undefined,
  });
  await dht.start();
  await dht.join(seeds);
  const port = transport.address()[0]?.port ?? 0;
  const contact = contactOf(key.publicKey, { ip: Uint8Array.of(127, 0, 0, 1), port });
  started.push({ dht, contact });
}

answerWith(async (question: StartServers | MeetOthers): Promise<StartedServers> => {
  if ('meet' in question) {
    for (const { dht } of started) await dht.join(question.meet);
  } else {
    const { number, count, seeds } = question;
    for (let i = 0; i < count; i++) {
      const first = started.slice(0, 1).map(({ contact }) => contact);
      await startServer(number + i, seeds.length > 0 ? seeds : first);
    }
  }
  return { contacts: started.map(({ contact }) => contact) };
});
