/**
 * Connections through a relay, both ways: libp2p's transport for circuits, kept from what AltNet
 * decides itself. It dials no relay, asks none for a place, and takes circuits only from relays
 * where this node has one. (Left to itself, that transport would listen at every peer that offers
 * it a circuit, and keep a listener for each time that this fails.)
 */
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2';
import type { Connection, PeerId, StreamHandler, Transport, Upgrader } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import type { NodeTls, TlsComponents } from '../tls.ts';
import { eagerUpgrader } from '../eager-dial.ts';
import { hopProtocol, stopProtocol } from './circuit-frames.ts';

type Components = Parameters<ReturnType<typeof circuitRelayTransport>>[0] & TlsComponents;

export type CircuitDial = (circuit: {
  /** A connection to the relay, not through another one. */
  readonly relay: Connection;
  readonly peer: PeerId;
  /** Must not be aborted once the dial has succeeded. */
  readonly signal: AbortSignal;
}) => Promise<Connection>;

export interface CircuitHooks {
  /** Whether this node has a place at that relay. */
  readonly acceptsFrom: (relay: PeerId) => boolean;
  /** Called once, before libp2p starts. */
  readonly onReady: (dial: CircuitDial) => void;
}

/** Circuits at the same time, on a connection to a relay, of each direction. */
export const circuitsPerConnectionMax = 64;

/** As `circuitRelayTransport()`; it does not listen. */
export function circuitTransport(
  tls: (components: TlsComponents) => NodeTls,
  { acceptsFrom, onReady }: CircuitHooks,
): (components: Components) => Transport {
  return (components) => {
    const upgrader = eagerUpgrader(limited(components.upgrader), tls(components));
    const transport = circuitRelayTransport({
      maxInboundStopStreams: circuitsPerConnectionMax,
      maxOutboundStopStreams: circuitsPerConnectionMax,
    })({
      peerId: components.peerId,
      connectionManager: components.connectionManager,
      peerStore: components.peerStore,
      addressManager: components.addressManager,
      connectionGater: components.connectionGater,
      logger: components.logger,
      events: components.events,
      randomWalk: components.randomWalk,
      upgrader,
      transportManager: notListening(components.transportManager),
      registrar: gated(components.registrar, acceptsFrom),
    });
    transport.listenFilter = () => [];
    onReady((circuit) => dial(transport, upgrader, circuit));
    return transport;
  };
}

/**
 * Around libp2p's queue of dials, which would take two dials to one peer for the same, and so not
 * race two relays.
 */
async function dial(
  transport: Transport,
  upgrader: Upgrader,
  { relay, peer, signal }: Parameters<CircuitDial>[0],
): Promise<Connection> {
  const at = relay.remoteAddr.toString().replace(/\/p2p\/[^/]+$/, '');
  const text = `${at}/p2p/${relay.remotePeer.toString()}/p2p-circuit/p2p/${peer.toString()}`;
  return transport.dial(multiaddr(text), { signal, upgrader });
}

/**
 * libp2p takes a connection for direct whose relay named no limit: such a relay would be seen as
 * the peer itself, and nobody would look for a better way.
 */
function limited(upgrader: Upgrader): Upgrader {
  const upgradeInbound: Upgrader['upgradeInbound'] = (raw, how) =>
    upgrader.upgradeInbound(raw, { ...how, limits: how.limits ?? {} });
  const upgradeOutbound: Upgrader['upgradeOutbound'] = (raw, how) =>
    upgrader.upgradeOutbound(raw, { ...how, limits: how.limits ?? {} });
  return Object.create(upgrader, {
    upgradeInbound: { value: upgradeInbound },
    upgradeOutbound: { value: upgradeOutbound },
  });
}

function notListening<T extends Components['transportManager']>(transportManager: T): T {
  return Object.create(transportManager, { listen: { value: () => Promise.resolve() } });
}

/** The protocol of offers is served only where one may come from. */
function gated<T extends Components['registrar']>(
  registrar: T,
  acceptsFrom: (relay: PeerId) => boolean,
): T {
  const handle: T['handle'] = (protocol, handler, options) => {
    if (protocol !== stopProtocol) return registrar.handle(protocol, handler, options);
    const guarded: StreamHandler = async (stream, connection) => {
      const isOffered = acceptsFrom(connection.remotePeer) && connection.limits === undefined;
      if (!isOffered) return stream.abort(new Error('no place at this relay'));
      try {
        await handler(stream, connection);
      } catch (error) {
        stream.abort(error instanceof Error ? error : new Error('the circuit failed'));
      }
    };
    return registrar.handle(protocol, guarded, options);
  };
  return Object.create(registrar, {
    handle: { value: handle },
    register: { value: notLooking },
    unregister: { value: () => undefined },
  });
}

/** It looks for relays among all peers that speak the protocol: these are chosen elsewhere. */
function notLooking(): Promise<string> {
  return Promise.resolve(hopProtocol);
}
