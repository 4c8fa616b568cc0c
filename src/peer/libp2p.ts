/**
 * libp2p as AltNet has it: TCP and circuits through relays, TLS 1.3 or Noise, yamux, and none of
 * what it would do by itself (dial, look for relays, ask peers for what they are).
 */
import type { ConnectionGater, Libp2p, PrivateKey } from '@libp2p/interface';
import { identify } from '@libp2p/identify';
import { yamux } from '@libp2p/yamux';
import { createLibp2p } from 'libp2p';
import type { Certificates } from './certificates.ts';
import { addressDialMs, addressesMax, dialMs } from './dialing.ts';
import { eagerMuxer } from './eager.ts';
import { forgetGonePeers } from './forget.ts';
import { LateNoise, type NoiseComponents } from './late-noise.ts';
import { type PortDialer, punchingTcp } from './punch/port-dial.ts';
import { type CircuitHooks, circuitTransport } from './relay/circuit-transport.ts';
import type { SendMemory } from './send-memory.ts';
import { NodeTls, type TlsComponents } from './tls.ts';

export interface Libp2pOptions {
  readonly privateKey: PrivateKey;
  /** Multiaddrs. */
  readonly listen: readonly string[];
  readonly connectionsMax: number;
  readonly gater: ConnectionGater;
  readonly certificates: Certificates;
  readonly memory: SendMemory;
  readonly circuits: CircuitHooks;
  /** Called once, before libp2p starts. */
  readonly onPorts: (dialer: PortDialer) => void;
  /** Whether a stream of the protocol is opened without waiting for an answer. */
  readonly isAsked: (protocol: string) => boolean;
}

/** Must stay below the read buffer: a paused stream may still receive a whole window. */
const windowBytesMax = 2 * 1024 * 1024;
const readBufferBytesMax = 4 * 1024 * 1024;

/** Not started yet. */
export async function makeLibp2p(options: Libp2pOptions): Promise<Libp2p> {
  const { privateKey, listen, gater, certificates, memory, circuits, isAsked } = options;
  const tls = (components: TlsComponents): NodeTls => new NodeTls(components, certificates, memory);
  const streamOptions = {
    maxStreamWindowSize: windowBytesMax,
    maxReadBufferLength: readBufferBytesMax,
  };
  const libp2p = await createLibp2p({
    start: false,
    privateKey,
    addresses: { listen: [...listen] },
    transports: [punchingTcp(tls, options.onPorts), circuitTransport(tls, circuits)],
    connectionEncrypters: [tls, (components: NoiseComponents) => new LateNoise(components)],
    streamMuxers: [eagerMuxer(yamux({ streamOptions }), isAsked)],
    connectionManager: {
      maxConnections: options.connectionsMax,
      inboundConnectionThreshold: 100,
      maxIncomingPendingConnections: 64,
      maxPeerAddrsToDial: addressesMax,
      addressDialTimeout: addressDialMs,
      dialTimeout: dialMs,
      reconnectRetries: 0,
    },
    connectionGater: gater,
    connectionMonitor: { pingInterval: 30_000 },
    // Others may ask; what this node wants of them it knows. Asking costs signatures at both ends
    // while the first answer is waited for.
    services: { identify: identify({ runOnConnectionOpen: false }) },
  });
  forgetGonePeers(libp2p);
  return libp2p;
}
