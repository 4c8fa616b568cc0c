/**
 * The DHT's `Transport` over sealed UDP datagrams: composes the parts of this folder and says which
 * of them a datagram is for. What requests mean, and who is asked, is the DHT's business.
 */
import type { Socket } from 'node:dgram';
import { networkInterfaces } from 'node:os';
import type { Abortable } from '../base/abort.ts';
import { type Endpoint, formatEndpoint, type HostPort, parseIp, scopeOf } from '../base/address.ts';
import type { Bytes } from '../base/bytes.ts';
import type { World } from '../base/clock.ts';
import { AltNetError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { reasonOf } from '../base/reason.ts';
import type { Answered, CallOptions, Request, RequestHandler, Transport } from '../dht/ports.ts';
import { type Contact, formatContact } from '../identity/contact.ts';
import type { SigningKey } from '../identity/key.ts';
import { nodeCrypto } from '../noise/node-crypto.ts';
import type { Families } from '../wire/contacts.ts';
import { type Decoded, isFailure } from '../wire/failure.ts';
import {
  type CookiePacket,
  decodeCookie,
  decodeResp,
  packetTypes,
  type RespPacket,
} from '../wire/packets.ts';
import type { RequestHead } from '../wire/requests.ts';
import { Counters } from './counters.ts';
import { OutgoingGate } from './gate.ts';
import { Initiator } from './initiator.ts';
import { Introduction } from './introduction.ts';
import { Knocker } from './knock.ts';
import { ownKeysOf, Peers } from './peers.ts';
import { Responder } from './responder.ts';
import { RetransmissionTimeout } from './rto.ts';
import { Sealing } from './sealing.ts';
import { Slots } from './slots.ts';
import { Sockets } from './socket.ts';
import { SourceLimits, SourceParser } from './source.ts';
import { TokenMemory } from './tokens.ts';

export interface UdpTransportDeps {
  readonly world: World;
  /** The node key. */
  readonly key: SigningKey;
  /** The network ID, 16 bytes. */
  readonly network: Bytes;
  readonly log: Logger;
  /** This node's signed contact record, once it has one. */
  readonly contactRecord: () => Bytes | undefined;
  /** Whether a peer at this address may list this node as a server. */
  readonly isServer: (peerIp: Bytes) => boolean;
  /** Servers in the network as this node estimates them: told to who asks. */
  readonly networkSize?: (() => number | undefined) | undefined;
}

export interface UdpTransportOptions {
  /**
   * IP addresses with ports. '', 0.0.0.0 or :: as host stands for all addresses, IPv6 too where
   * this host has it; port 0 for any free one.
   */
  readonly listen: readonly HostPort[];
  /** Requests under way at once. */
  readonly runningMax?: number;
  /** Requests that wait for their turn. */
  readonly waitingMax?: number;
  /** The share of one core that answering may take, in (0, 1]. */
  readonly dhShare?: number;
  /** From as many requests per second on that ask for a handshake, they need a cookie. */
  readonly handshakesPerSecondMax?: number;
}

export const udpTransportDefaults = {
  runningMax: 256,
  waitingMax: 1024,
  dhShare: 0.5,
  handshakesPerSecondMax: 1500,
} as const;

export class UdpTransport implements Transport {
  readonly #deps: UdpTransportDeps;
  readonly #listen: readonly HostPort[];
  readonly #counters = new Counters();
  readonly #sources = new SourceParser();
  readonly #sockets: Sockets;
  readonly #slots: Slots;
  readonly #initiator: Initiator;
  readonly #responder: Responder;
  readonly #introduction: Introduction;
  readonly #knocker: Knocker;
  #want: Families = { v4: false, v6: false };
  #started = false;
  #stopping: Promise<void> | undefined;
  #failureLogged = false;

  constructor(deps: UdpTransportDeps, options: UdpTransportOptions) {
    const { listen, ...limited } = options;
    const { dhShare, handshakesPerSecondMax, ...slots } = { ...udpTransportDefaults, ...limited };
    this.#deps = deps;
    this.#listen = listen;
    this.#slots = new Slots(slots);
    this.#sockets = new Sockets({
      onDatagram: (...datagram) => this.#receive(...datagram),
      onError: (code) => deps.log.warn('a UDP socket failed', { code }),
    });
    const { world, key, network } = deps;
    const own = ownKeysOf(key);
    const peers = new Peers(nodeCrypto, own.s);
    const contactSeq = (): number => contactSeqOf(deps.contactRecord());
    const shared = {
      world,
      peers,
      contactSeq,
      counters: this.#counters,
      sealing: new Sealing(nodeCrypto, { networkId: network, own, peers }),
      limits: new SourceLimits(world.clock),
      gate: new OutgoingGate(world.clock),
      rto: new RetransmissionTimeout(),
      send: (to: Endpoint, datagram: Bytes, onError: (why: string) => void): void =>
        this.#sockets.send(to, datagram, { onError }),
    };
    this.#responder = new Responder({ ...deps, ...shared, dhShare, handshakesPerSecondMax });
    this.#introduction = new Introduction({ ...shared, key, network });
    const head = ({ ip }: Endpoint): Omit<RequestHead, 'token'> => ({
      server: deps.isServer(ip),
      xSign: own.xSign,
      want: this.#want,
      contactSeq: contactSeq(),
    });
    this.#initiator = new Initiator({ ...shared, head, tokens: new TokenMemory(world.clock) });
    const localIp = (ipBytes: number): Bytes | undefined =>
      this.address().find(({ ip }) => ip.length === ipBytes)?.ip;
    this.#knocker = new Knocker({ ...shared, head, localIp });
  }

  /** Resolves when every address is bound. Rejects with PORT_TAKEN, BIND_FAILED or BAD_ADDRESS. */
  async start(): Promise<void> {
    if (this.#started) throw new AltNetError('INTERNAL', { what: 'a transport starts only once' });
    this.#started = true;
    await this.#sockets.open(this.#listen);
    this.#want = wantedFamilies(this.address());
  }

  /** Ends every request under way with ABORTED and closes the sockets. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** Where the sockets are really bound. */
  address(): readonly Endpoint[] {
    return this.#sockets.addresses();
  }

  /** How often each thing happened since the start, refusals by reason (docs/spec/packets.md). */
  counters(): Readonly<Record<string, number>> {
    return this.#counters.snapshot();
  }

  serve(handler: RequestHandler): void {
    this.#responder.serve(handler);
  }

  async call<R extends Request>(
    to: Contact,
    request: R,
    { signal: given, known }: CallOptions = {},
  ): Promise<Answered<R>> {
    this.#refuseUnreachable(to.endpoint);
    const job = { what: formatContact(to), signal: given };
    return await this.#slots.run(job, (signal) =>
      this.#initiator.call(to, request, { signal, known }),
    );
  }

  async identify(endpoint: Endpoint, options: Abortable = {}): Promise<Contact> {
    this.#refuseUnreachable(endpoint);
    const job = { what: formatEndpoint(endpoint), signal: options.signal };
    return await this.#slots.run(job, (signal) => this.#introduction.identify(endpoint, signal));
  }

  async knock(to: Contact, nonce: Bytes, options: Abortable = {}): Promise<void> {
    this.#refuseUnreachable(to.endpoint);
    await this.#knocker.knock(to, nonce, options.signal);
  }

  async #stop(): Promise<void> {
    this.#slots.close();
    this.#responder.stop();
    await this.#knocker.stop();
    await this.#sockets.close();
  }

  #refuseUnreachable(endpoint: Endpoint): void {
    if (scopeOf(endpoint.ip) !== 'bogon' && endpoint.port > 0) return;
    const what = formatEndpoint(endpoint);
    throw new AltNetError('UNREACHABLE', { what, why: 'no node can have this address' });
  }

  /** The border to the network: whatever a datagram holds, nothing is thrown past it. */
  #receive(datagram: Bytes, address: string, port: number, via: Socket): void {
    try {
      this.#dispatch(datagram, address, port, via);
    } catch (error) {
      this.#counters.add('packet.failed');
      if (this.#failureLogged) return;
      this.#failureLogged = true;
      this.#deps.log.error('a datagram could not be handled', { why: reasonOf(error) });
    }
  }

  #dispatch(datagram: Bytes, address: string, port: number, via: Socket): void {
    const source = this.#sources.parse(address, port);
    if (!source) return this.#counters.add('packet.source');
    const reply = (answer: Bytes): void => this.#reply(source.endpoint, answer, via);
    switch (datagram[0] ?? 0) {
      case packetTypes.init:
        return this.#responder.receive(datagram, { ...source, reply });
      case packetTypes.resp:
        return this.#receiveAnswer(decodeResp(datagram), source.endpoint);
      case packetTypes.cookie:
        return this.#receiveAnswer(decodeCookie(datagram), source.endpoint);
      case packetTypes.who:
        return this.#introduction.receiveWho(datagram, { ...source, reply });
      case packetTypes.iam:
        return this.#introduction.receiveIam(datagram, source.endpoint);
      default:
        return this.#counters.add('packet.type');
    }
  }

  #receiveAnswer(packet: Decoded<RespPacket | CookiePacket>, from: Endpoint): void {
    if (isFailure(packet)) this.#counters.add(`resp.${packet}`);
    else this.#initiator.receive(packet, from);
  }

  #reply(to: Endpoint, datagram: Bytes, via: Socket): void {
    this.#sockets.send(to, datagram, { via, onError: () => this.#counters.add('packet.unsent') });
  }
}

/** Low 32 bits of the seq in an encoded record's envelope: octets 72–75. */
function contactSeqOf(record: Bytes | undefined): number {
  if (!record || record.length < 76) return 0;
  return new DataView(record.buffer, record.byteOffset).getUint32(72);
}

/**
 * The families to ask contacts of: those of the bound sockets, but IPv6 by a wildcard only if this
 * host has an IPv6 address that reaches beyond its link. Else half of what a lookup learns would be
 * contacts that it cannot call.
 */
function wantedFamilies(bound: readonly Endpoint[]): Families {
  const v6 = bound.filter(({ ip }) => ip.length === 16);
  return {
    v4: bound.some(({ ip }) => ip.length === 4),
    v6: v6.some(({ ip }) => ip.some((octet) => octet !== 0)) || (v6.length > 0 && hasGlobalIpV6()),
  };
}

function hasGlobalIpV6(): boolean {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return addresses.some(({ address, family }) => {
    const ip = family === 'IPv6' ? parseIp(address) : undefined;
    return ip !== undefined && scopeOf(ip) === 'global';
  });
}
