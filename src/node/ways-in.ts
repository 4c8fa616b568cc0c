/**
 * The ways to this node besides relays: a router that lets others in, direct connections through
 * NATs, and the local network. Wires src/nat, src/mdns and src/peer/{reach,punch} to the DHT and
 * the options; the rules are there.
 */
import { networkInterfaces } from 'node:os';
import { type Endpoint, formatIp, scopeOf } from '../base/address.ts';
import { type Bytes, equalBytes } from '../base/bytes.ts';
import type { World } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { Dht } from '../dht/dht.ts';
import type { Mode } from '../dht/mode/mode.ts';
import type { SigningKey } from '../identity/key.ts';
import type { LanDiscovery } from '../mdns/lan-discovery.ts';
import type { MappingStatus, PortMapping } from '../nat/port-mapping.ts';
import type { PeerHost } from '../peer/host.ts';
import type { Observer } from '../peer/punch/probe.ts';
import { type PunchCounts, Punching } from '../peer/punch/punching.ts';
import { ReachServer } from '../peer/reach/reach-server.ts';
import { testTcpReach } from '../peer/reach/tcp-reach.ts';
import type { UdpTransport } from '../rpc/transport.ts';
import { Neighbours } from './neighbours.ts';
import type { NodeOptions } from './options.ts';
import { type Reachability, reachabilityOf } from './reachability.ts';
import type { Relays } from './relays.ts';
import { TcpProof } from './tcp-proof.ts';

export interface WaysInDeps {
  readonly transport: Pick<UdpTransport, 'address' | 'identify'>;
  readonly peers: PeerHost;
  readonly dht: Dht;
  readonly mode: Mode;
  readonly relays: Pick<Relays, 'used'>;
  readonly key: SigningKey;
  readonly network: Bytes;
  readonly world: World;
  readonly log: Logger;
  /** What this node announces has changed. */
  readonly onChange: () => void;
}

type WaysInOptions = Pick<NodeOptions, 'mdns' | 'portMapping' | 'public' | 'guest' | 'tcpProof'>;

export class WaysIn {
  readonly #deps: WaysInDeps;
  readonly #options: WaysInOptions;
  readonly #stack = new AsyncDisposableStack();
  readonly #punching: Punching;
  readonly #proof: TcpProof;
  #mapping: PortMapping | undefined;
  #lan: LanDiscovery | undefined;

  constructor(deps: WaysInDeps, options: WaysInOptions) {
    const { peers, world, log, onChange } = deps;
    this.#deps = deps;
    this.#options = options;
    const observers = (): readonly Observer[] => this.#observers();
    this.#punching = new Punching({ host: peers, observers, world, log });
    this.#proof = new TcpProof(
      {
        world,
        log,
        onChange,
        candidate: () => this.#candidate(),
        helpers: observers,
        test: (goal) =>
          testTcpReach(
            { open: (target, protocol, how) => peers.open(target, protocol, how), world },
            goal,
          ),
      },
      options.tcpProof,
    );
  }

  /** What is not wanted is not even loaded. */
  async start(): Promise<void> {
    const { peers, world } = this.#deps;
    const { guest, mdns, portMapping, public: isPublic } = this.#options;
    await this.#stack.use(this.#punching).start();
    if (guest) return;
    await new ReachServer({ streams: peers, ports: () => peers.ports, world }).start();
    this.#stack.use(this.#proof).start();
    if (!this.#listensOutside()) return;
    if (portMapping && !isPublic) await this.#startMapping();
    if (mdns) await this.#startLan();
  }

  async stop(): Promise<void> {
    await this.#stack.disposeAsync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** The network may be another one. */
  wake(): void {
    this.#punching.wake();
    this.#mapping?.wake();
    this.#lan?.wake();
  }

  /** Where strangers connect to this node although it does not see that address itself. */
  readonly external = (): Endpoint | undefined => this.#proof.proven();

  mapping(): MappingStatus {
    return this.#mapping?.status() ?? { kind: 'unknown' };
  }

  punched(): PunchCounts {
    return this.#punching.counts();
  }

  reachability(): Reachability {
    const { mode, relays } = this.#deps;
    const isReached = mode.reachableAt().length > 0 || this.#proof.proven() !== undefined;
    return reachabilityOf({
      isReached: isReached || this.#options.public,
      mapping: this.mapping().kind,
      relays: relays.used().length,
      nat: this.#punching.natKind(),
    });
  }

  async #startMapping(): Promise<void> {
    const { PortMapping: Mapping } = await import('../nat/port-mapping.ts');
    const { world, log, onChange } = this.#deps;
    const port = this.#port();
    const mapping = new Mapping({ world, log, onChange }, { port, listensAt: this.#listensAt });
    this.#mapping = this.#stack.use(mapping);
    mapping.start();
  }

  async #startLan(): Promise<void> {
    const { LanDiscovery: Discovery } = await import('../mdns/lan-discovery.ts');
    const { transport, dht, key, network, world, log } = this.#deps;
    const neighbours = new Neighbours({ transport, dht, log });
    this.#stack.defer(() => neighbours.stop());
    this.#lan = this.#stack.use(
      new Discovery(
        { world, log, onFound: neighbours.found },
        {
          networkId: network,
          publicKey: key.publicKey,
          port: this.#port(),
          listensAt: this.#listensAt,
        },
      ),
    );
    this.#lan.start();
  }

  #port(): number {
    return this.#deps.transport.address()[0]?.port ?? 0;
  }

  readonly #listensAt = (address: string): boolean =>
    this.#deps.transport
      .address()
      .some(({ ip }) => formatIp(ip) === address || (ip.length === 4 && isUnspecified(ip)));

  #listensOutside(): boolean {
    return this.#deps.transport.address().some(({ ip }) => scopeOf(ip) !== 'loopback');
  }

  /** The address that others see, unless it is this machine's own: that needs no proof. */
  #candidate(): Endpoint | undefined {
    const seen = this.#deps.mode.address(4);
    if (!seen || !this.#listensOutside() || isOwnAddress(seen.ip)) return undefined;
    const mapping = this.mapping();
    return { ip: seen.ip, port: mapping.kind === 'mapped' ? mapping.tcpPort : this.#port() };
  }

  /** Servers listen at the same number for TCP. */
  #observers(): readonly Observer[] {
    const { dht, world } = this.#deps;
    const contacts = dht.table.contacts().filter(({ endpoint }) => isGlobal4(endpoint));
    const first = Math.floor(world.random.fraction() * contacts.length);
    return [...contacts.slice(first), ...contacts.slice(0, first)];
  }
}

function isGlobal4({ ip }: Endpoint): boolean {
  return ip.length === 4 && scopeOf(ip) === 'global';
}

function isUnspecified(ip: Bytes): boolean {
  return equalBytes(ip, new Uint8Array(ip.length));
}

function isOwnAddress(ip: Bytes): boolean {
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return own.some(({ address }) => address === formatIp(ip));
}
