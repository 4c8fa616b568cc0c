/** The real transport on loopback, as the benchmarks of `rpc` serve and ask with it. */
import { systemWorld } from '../src/base/clock.ts';
import { silentLogger } from '../src/base/logger.ts';
import { type Contact, contactOf } from '../src/identity/contact.ts';
import { SigningKey } from '../src/identity/key.ts';
import { UdpTransport, type UdpTransportOptions } from '../src/rpc/transport.ts';

export type Role = 'server' | 'asker' | 'source';

/** Not yet started. All processes know the key of each role. */
export function sealedTransport(
  role: Role,
  options: Partial<UdpTransportOptions> = {},
): UdpTransport {
  return new UdpTransport(
    {
      world: systemWorld,
      key: keyOf(role),
      network: new Uint8Array(16),
      log: silentLogger,
      contactRecord: () => undefined,
      isServer: () => role === 'server',
    },
    { listen: [{ host: '127.0.0.1', port: 0 }], ...options },
  );
}

/** Who asks a benched server: a client of its own, that nobody asks back. */
export async function startAsker(): Promise<UdpTransport> {
  const transport = sealedTransport('asker');
  await transport.start();
  return transport;
}

/** Where the benched server is. */
export function serverAt(port: number): Contact {
  return contactOf(keyOf('server').publicKey, { ip: Uint8Array.of(127, 0, 0, 1), port });
}

function keyOf(role: Role): SigningKey {
  const octet = { server: 1, asker: 2, source: 3 }[role];
  return new SigningKey('node', new Uint8Array(32).fill(octet));
}
