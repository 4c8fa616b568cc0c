/**
 * One port number for both halves of a node: UDP for the DHT and TCP for connections. Where it may
 * choose, it goes on until a number is free for both.
 */
import { formatIp, type HostPort, parseIp } from '../base/address.ts';
import { AltNetError, isAltNetError } from '../base/errors.ts';
import type { PeerHost } from '../peer/host.ts';
import type { UdpTransport } from '../rpc/transport.ts';
import { type BindRequest, type Bound, bindOrMove } from './bind.ts';

export interface Listeners {
  readonly transport: UdpTransport;
  readonly peers: PeerHost;
}

export interface ListenerMakers {
  readonly transport: (listen: readonly HostPort[]) => UdpTransport;
  readonly peers: (listen: readonly HostPort[]) => PeerHost;
}

/** With port 0, how often another number is tried when TCP does not have the one that UDP got. */
const freePortTriesMax = 20;

/** Both started. Rejects with PORT_TAKEN, BIND_FAILED or BAD_ADDRESS and leaves nothing open. */
export function listenOnBoth(
  request: BindRequest,
  makers: ListenerMakers,
): Promise<Bound<Listeners>> {
  return bindOrMove(request, async ({ host, port }) => {
    const numeric = host === 'localhost' ? '127.0.0.1' : host;
    if (!parseIp(numeric)) {
      throw new AltNetError('BAD_ADDRESS', {
        text: request.address,
        want: 'an IP address and port',
      });
    }
    for (let tries = 1; ; tries++) {
      try {
        return await openPair({ host: numeric, port }, makers);
      } catch (error) {
        const mayRetry = port === 0 && tries < freePortTriesMax;
        if (!mayRetry || !isAltNetError(error, 'PORT_TAKEN')) throw error;
      }
    }
  });
}

async function openPair(at: HostPort, makers: ListenerMakers): Promise<Listeners> {
  const transport = makers.transport([at]);
  await transport.start();
  // The very addresses that UDP got: with 0.0.0.0 that is IPv6 too, where this host has it.
  const listen = transport.address().map(({ ip, port }) => ({ host: formatIp(ip), port }));
  const peers = makers.peers(listen);
  try {
    await peers.start();
    return { transport, peers };
  } catch (error) {
    await transport.stop();
    throw error;
  }
}
