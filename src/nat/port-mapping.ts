/**
 * Has the router let others in at the port that this node listens on, by NAT-PMP or UPnP: asks
 * once, prolongs what was given before it ends, takes it back at the end. What the router says is a
 * hint: whether others really come through, its user finds out (docs/spec/nat.md, "Port mapping").
 *
 *   in:  start, wake (the network changed), a timer, stop
 *   out: requests to the default gateway, and to nobody else
 */
import { abortReason, withDeadline } from '../base/abort.ts';
import { parseIp, scopeOf } from '../base/address.ts';
import type { CancelTimer, World } from '../base/clock.ts';
import { AltNetError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { defaultRoute, type DefaultRoute } from './default-route.ts';
import { NatPmpRouter } from './nat-pmp.ts';
import {
  type MappedProtocol,
  type MappingGrant,
  type MappingWish,
  type Router,
  RouterRefusal,
} from './router.ts';
import { findUpnpRouter } from './upnp.ts';

export interface PortMappingOptions {
  /** TCP and UDP on this machine. */
  readonly port: number;
  /** Whether the node listens at this address of the machine. */
  readonly listensAt: (address: string) => boolean;
}

export interface PortMappingDeps {
  readonly world: World;
  readonly log: Logger;
  /** For tests; else the system's. */
  readonly route?: (() => Promise<DefaultRoute | undefined>) | undefined;
  /** For tests; else NAT-PMP, then UPnP. */
  readonly routers?: readonly FindRouter[] | undefined;
  readonly onChange?: (() => void) | undefined;
}

/** Rejects with RouterRefusal where the gateway does not speak that language. */
export type FindRouter = (
  route: DefaultRoute,
  options: { readonly signal: AbortSignal; readonly world: World },
) => Promise<Router>;

export type MappingStatus =
  /** Not asked yet, or being asked for the first time. */
  | { readonly kind: 'unknown' }
  /** The address towards the router is no private one, or there is no router. */
  | { readonly kind: 'unneeded' }
  /** No gateway answers, or it refuses; `why` in words. */
  | { readonly kind: 'none'; readonly why: string }
  | {
      readonly kind: 'mapped';
      readonly language: Router['language'];
      /** What the router says its address is. */
      readonly externalIp: string;
      readonly tcpPort: number;
      /** Undefined when the router would only give another number than that of the node. */
      readonly udpPort: number | undefined;
    };

interface Mapping {
  readonly router: Router;
  readonly route: DefaultRoute;
  readonly externalIp: string;
  readonly granted: Granted;
}

type OnePort = MappingWish & MappingGrant;

interface Granted {
  readonly tcp: OnePort;
  readonly udp: OnePort | undefined;
}

const minuteMs = 60_000;
const leaseSeconds = 3600;
/** All that is asked in one round. */
const roundMs = 20_000;
/** How long a node that ends waits for its router. */
const farewellMs = 2000;
/** Without a mapping, the router is asked again: it may have been restarted, or set up. */
const retryMs = 15 * minuteMs;
const renewMsMin = minuteMs;
const renewMsMax = 30 * minuteMs;
/** Other numbers that are tried for TCP when that of the node is taken. */
const otherPortsMax = 3;
const [otherPortMin, otherPortCount] = [20_000, 40_000];

export class PortMapping {
  readonly #deps: PortMappingDeps;
  readonly #options: PortMappingOptions;
  readonly #lifetime = new AbortController();
  #status: MappingStatus = { kind: 'unknown' };
  #mapping: Mapping | undefined;
  #round: Promise<void> | undefined;
  #cancel: CancelTimer | undefined;
  #stopping: Promise<void> | undefined;

  constructor(deps: PortMappingDeps, options: PortMappingOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** Begins to ask; resolves at once. */
  start(): void {
    this.wake();
  }

  /** The network may be another one: asks now. */
  wake(): void {
    if (this.#lifetime.signal.aborted || this.#round) return;
    this.#cancel?.();
    this.#round = this.#run().finally(() => {
      this.#round = undefined;
      if (this.#lifetime.signal.aborted) return;
      this.#cancel = this.#deps.world.timers.after(this.#nextMs(), () => this.wake());
    });
  }

  /** Takes the mapping back, if the router answers in time. */
  stop(): Promise<void> {
    this.#stopping ??= this.#end();
    return this.#stopping;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  status(): MappingStatus {
    return this.#status;
  }

  async #end(): Promise<void> {
    this.#lifetime.abort(new AltNetError('ABORTED', {}));
    this.#cancel?.();
    await this.#round;
    const mapping = this.#mapping;
    this.#mapping = undefined;
    if (mapping) await this.#takeBack(mapping);
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    const { world } = this.#deps;
    const { signal } = this.#lifetime;
    const limit = { timers: world.timers, ms: roundMs, what: 'asking the router', signal };
    for (;;) {
      const wasMapped = this.#mapping !== undefined;
      try {
        return await withDeadline(limit, (until) => this.#ask(until));
      } catch (error) {
        if (signal.aborted) return;
        this.#mapping = undefined;
        if (wasMapped) continue; // it was restarted, perhaps, and is to be found anew
        const why = error instanceof RouterRefusal ? error.message : 'it does not answer';
        return this.#become({ kind: 'none', why });
      }
    }
  }

  async #ask(signal: AbortSignal): Promise<void> {
    const route = await (this.#deps.route ?? defaultRoute)();
    const ip = route && parseIp(route.local);
    const isNeeded = ip && scopeOf(ip) === 'private' && this.#options.listensAt(route.local);
    if (!isNeeded) {
      this.#mapping = undefined;
      return this.#become({ kind: 'unneeded' });
    }
    const known = this.#mapping;
    const isSame = known?.route.gateway === route.gateway && known.route.local === route.local;
    const router = isSame ? known.router : await this.#findRouter(route, signal);
    const externalIp = await router.externalIp({ signal });
    const external = parseIp(externalIp);
    if (!external || scopeOf(external) !== 'global') {
      throw new RouterRefusal('it is behind a NAT itself');
    }
    const granted = await this.#mapBoth(router, isSame ? known.granted : undefined, signal);
    this.#mapping = { router, route, externalIp, granted };
    const { language } = router;
    const [tcpPort, udpPort] = [granted.tcp.externalPort, granted.udp?.externalPort];
    this.#become({ kind: 'mapped', language, externalIp, tcpPort, udpPort });
  }

  /** The first that answers. Rejects as the last does. */
  async #findRouter(route: DefaultRoute, signal: AbortSignal): Promise<Router> {
    const { routers = [findNatPmp, findUpnp], world } = this.#deps;
    let failure: unknown = new RouterRefusal('it speaks no language that is known');
    for (const find of routers) {
      try {
        return await find(route, { signal, world });
      } catch (error) {
        if (signal.aborted) throw abortReason(signal);
        failure = error;
      }
    }
    throw failure;
  }

  async #mapBoth(
    router: Router,
    before: Granted | undefined,
    signal: AbortSignal,
  ): Promise<Granted> {
    const ask = { router, signal };
    const tcp = await this.#mapOne({ ...ask, protocol: 'tcp', last: before?.tcp.externalPort });
    if (!tcp) throw new RouterRefusal('the port is taken');
    try {
      const udp = await this.#mapOne({ ...ask, protocol: 'udp', last: undefined });
      return { tcp, udp };
    } catch (error) {
      // Content moves over TCP: half a mapping is worth having.
      if (error instanceof RouterRefusal) return { tcp, udp: undefined };
      throw error;
    }
  }

  /** Undefined when none of the numbers is to be had. Others know the UDP port by what they see. */
  async #mapOne(ask: {
    readonly router: Router;
    readonly protocol: MappedProtocol;
    /** The number that was given before. */
    readonly last: number | undefined;
    readonly signal: AbortSignal;
  }): Promise<OnePort | undefined> {
    const { router, protocol, last, signal } = ask;
    const { port } = this.#options;
    const others = protocol === 'tcp' ? this.#otherPorts() : [];
    for (const externalPort of [last ?? port, ...others]) {
      const wish = { protocol, internalPort: port, externalPort, leaseSeconds };
      try {
        const grant = await router.map(wish, { signal });
        if (protocol === 'tcp' || grant.externalPort === port) return { ...wish, ...grant };
        await router.unmap({ ...wish, ...grant }, { signal });
        return undefined;
      } catch (error) {
        if (!(error instanceof RouterRefusal && error.isConflict)) throw error;
      }
    }
    return undefined;
  }

  #otherPorts(): number[] {
    const { random } = this.#deps.world;
    const draw = (): number => otherPortMin + Math.floor(random.fraction() * otherPortCount);
    return Array.from({ length: otherPortsMax }, draw);
  }

  async #takeBack({ router, granted }: Mapping): Promise<void> {
    const { world, log } = this.#deps;
    const limit = { timers: world.timers, ms: farewellMs, what: 'asking the router' };
    try {
      await withDeadline(limit, async (signal) => {
        for (const port of portsOf(granted)) await router.unmap(port, { signal });
      });
    } catch {
      log.debug('the router did not take the mapping back: it ends by itself');
    }
  }

  #nextMs(): number {
    const mapping = this.#mapping;
    if (!mapping) return retryMs;
    const shortest = Math.min(...portsOf(mapping.granted).map((port) => port.leaseSeconds));
    return Math.min(Math.max((shortest * 1000) / 2, renewMsMin), renewMsMax);
  }

  #become(status: MappingStatus): void {
    const before = this.#status;
    this.#status = status;
    if (JSON.stringify(before) === JSON.stringify(status)) return;
    const { log, onChange } = this.#deps;
    if (status.kind === 'mapped') {
      const { language, tcpPort } = status;
      log.info('the router lets others in', { language, port: tcpPort });
    } else if (before.kind === 'mapped') {
      log.info('the router does not let others in any more');
    } else if (status.kind === 'none') {
      log.debug('the router maps no port', { why: status.why });
    }
    onChange?.();
  }
}

function portsOf({ tcp, udp }: Granted): OnePort[] {
  return [tcp, udp ?? []].flat();
}

const findNatPmp: FindRouter = async ({ gateway }, { signal, world }) => {
  const router = new NatPmpRouter(gateway, world);
  await router.externalIp({ signal }); // so that a router without it is found out
  return router;
};

const findUpnp: FindRouter = (route, { signal, world }) =>
  findUpnpRouter(route, { signal, timers: world.timers });
