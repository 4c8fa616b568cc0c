/** Who asks a benched server: a client of its own, on loopback, that nobody asks back. */
import { systemWorld } from '../src/base/clock.ts';
import { silentLogger } from '../src/base/logger.ts';
import { SigningKey } from '../src/identity/key.ts';
import { UdpTransport } from '../src/rpc/transport.ts';

export async function startAsker(): Promise<UdpTransport> {
  const transport = new UdpTransport(
    {
      world: systemWorld,
      key: new SigningKey('node', new Uint8Array(32).fill(2)),
      network: new Uint8Array(16),
      log: silentLogger,
      contactRecord: () => undefined,
      isServer: () => false,
    },
    { listen: [{ host: '127.0.0.1', port: 0 }] },
  );
  await transport.start();
  return transport;
}
