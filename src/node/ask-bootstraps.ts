/**
 * Asks the addresses where a node finds its first peers who is there, how fast they answer and what
 * time they have. It does so as a stranger, with a key for this once, and joins nothing.
 */
import type { World } from '../base/clock.ts';
import { isAltNetError } from '../base/errors.ts';
import { silentLogger } from '../base/logger.ts';
import { withDeadline } from '../base/abort.ts';
import { toHex } from '../base/bytes.ts';
import { SigningKey } from '../identity/key.ts';
import { networkId, type NetworkProfileName, networkProfiles } from '../record/network.ts';
import { UdpTransport } from '../rpc/transport.ts';
import { type BootstrapAddress, contactAt, HostNames } from './bootstrap.ts';

export interface BootstrapAnswer {
  /** As the user wrote it. */
  readonly address: string;
  /** Who answered; undefined when nobody did, and then `error` says why. */
  readonly answer: ProvenAnswer | undefined;
  readonly error: unknown;
}

export interface ProvenAnswer {
  readonly network: NetworkProfileName;
  /** Node ID, 64 hex digits. */
  readonly id: string;
  readonly ms: number;
  /** What to add to our clock to get that of the answerer. */
  readonly offsetSeconds: number;
}

export interface AskOptions {
  /** Nodes of one do not understand another: all are asked in, and the first answer counts. */
  readonly networks: readonly NetworkProfileName[];
  readonly world: World;
  /** For each of them. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Clocks tell whole seconds: on average half of one has passed since. */
const meanFractionSeconds = 0.5;

/** One for each address. Rejects with BIND_FAILED where this machine lets no socket open. */
export async function askBootstraps(
  addresses: readonly BootstrapAddress[],
  options: AskOptions,
): Promise<readonly BootstrapAnswer[]> {
  if (addresses.length === 0) return [];
  await using stack = new AsyncDisposableStack();
  const transports: NetworkTransport[] = []; // BOUNDED by the profiles that there are
  for (const network of options.networks) {
    const transport = stack.use(strangerIn(network, options.world));
    await transport.start();
    transports.push({ network, transport });
  }
  const names = new HostNames();
  return await Promise.all(
    addresses.map((address) => askOne(address, transports, { ...options, names })),
  );
}

interface NetworkTransport {
  readonly network: NetworkProfileName;
  readonly transport: UdpTransport;
}

function strangerIn(network: NetworkProfileName, world: World): UdpTransport {
  return new UdpTransport(
    {
      world,
      key: new SigningKey('node', world.random.bytes(32)),
      network: networkId(networkProfiles[network]),
      log: silentLogger,
      contactRecord: () => undefined,
      isServer: () => false,
    },
    { listen: [{ host: '0.0.0.0', port: 0 }] },
  );
}

async function askOne(
  address: BootstrapAddress,
  transports: readonly NetworkTransport[],
  { names, world, timeoutMs, signal: given }: AskOptions & { names: HostNames },
): Promise<BootstrapAnswer> {
  const { text } = address;
  const deadline = { timers: world.timers, ms: timeoutMs, what: `asking ${text}`, signal: given };
  try {
    const answer = await withDeadline(deadline, (signal) =>
      Promise.any(
        transports.map(async ({ network, transport }): Promise<ProvenAnswer> => {
          const contact = await contactAt(address, transport, { world, names, signal });
          const { info } = await transport.call(
            contact,
            { method: 'ping' },
            { signal, known: true },
          );
          const answeredSeconds = (world.clock.unixMs() - info.rttMs / 2) / 1000;
          const offsetSeconds = info.unixTime + meanFractionSeconds - answeredSeconds;
          return { network, id: toHex(contact.id), ms: info.rttMs, offsetSeconds };
        }),
      ),
    );
    return { address: text, answer, error: undefined };
  } catch (error) {
    given?.throwIfAborted();
    const errors: readonly unknown[] = error instanceof AggregateError ? error.errors : [error];
    // Somebody else who answers says more than the silence of the other network.
    const wrong = errors.find((each) => isAltNetError(each, 'WRONG_PEER'));
    return { address: text, answer: undefined, error: wrong ?? errors[0] };
  }
}
