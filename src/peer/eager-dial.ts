/**
 * TCP connections that do not wait for the answer to a negotiation whose outcome is known: every
 * AltNet node speaks TLS 1.3, and names yamux in its handshake. The first message of TLS is sent
 * right behind the question whether it may be, which saves a round trip. It knows no peers.
 */
import type {
  Connection,
  MultiaddrConnection,
  StreamMessageEvent,
  StreamMuxerFactory,
  Transport,
  Upgrader,
  UpgraderOptions,
} from '@libp2p/interface';
import { tcp } from '@libp2p/tcp';
import type { Bytes } from '../base/bytes.ts';
import { greeting, Greeting } from './greeting.ts';
import type { NodeTls, TlsComponents } from './tls.ts';

type Components = Parameters<ReturnType<typeof tcp>>[0] & TlsComponents;

/** As `tcp()`; its outgoing connections are TLS and the multiplexer that both ends prefer. */
export function eagerTcp(
  tls: (components: TlsComponents) => NodeTls,
): (components: Components) => Transport {
  return (components) => {
    const transport = tcp()(components);
    const security = tls(components);
    const dial = transport.dial.bind(transport);
    transport.dial = (address, options) =>
      dial(address, { ...options, upgrader: eagerUpgrader(options.upgrader, security) });
    return transport;
  };
}

/** The same for what any transport dials. */
export function eagerUpgrader(upgrader: Upgrader, security: NodeTls): Upgrader {
  const upgradeOutbound = async (
    raw: MultiaddrConnection,
    how: UpgraderOptions,
  ): Promise<Connection> => {
    greet(raw, security.protocol);
    const { signal } = how;
    const secured = await security.secureOutbound(raw, { signal });
    const { connection, remotePeer, streamMuxer } = secured;
    if (!streamMuxer) throw new Error('the peer names no multiplexer');
    const muxerFactory: StreamMuxerFactory = {
      protocol: streamMuxer.protocol,
      createStreamMuxer: () => streamMuxer.createStreamMuxer(connection),
    };
    const rest = { skipEncryption: true as const, remotePeer, muxerFactory };
    return upgrader.upgradeOutbound(raw, { ...how, ...rest });
  };
  // Everything else it is asked for, such as its multiplexers, is what it was.
  return Object.create(upgrader, { upgradeOutbound: { value: upgradeOutbound } });
}

/** Asks for `protocol`. The answer is seen by no later listener; another one ends the connection. */
export function greet(connection: MultiaddrConnection, protocol: string): void {
  const expected = greeting(protocol);
  const answer = new Greeting(expected);
  const onMessage = (event: StreamMessageEvent): void => {
    event.stopImmediatePropagation();
    const { data } = event;
    const rest: Bytes | undefined = answer.take(
      data instanceof Uint8Array ? data : data.subarray(),
    );
    if (rest === undefined) {
      connection.abort(new Error(`the peer does not speak ${protocol}`));
      return;
    }
    if (!answer.isOver) return;
    connection.removeEventListener('message', onMessage);
    if (rest.length > 0) connection.push(rest);
  };
  connection.addEventListener('message', onMessage);
  connection.send(expected);
}
