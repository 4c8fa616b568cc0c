/**
 * The outer half of the composition: gateway and API, each on its own port, and the file that leads
 * other commands to the API.
 */
import path from 'node:path';
import { Api } from '../api/api.ts';
import type { NodeServices } from '../api/ports.ts';
import { loadOrCreateToken, tokenFileIn } from '../api/token.ts';
import { formatEndpoint, type HostPort } from '../base/address.ts';
import { toHex } from '../base/bytes.ts';
import { type Bound, bindOrMove, formatHostPort } from './bind.ts';
import type { Building, Core } from './core.ts';
import { metricsSource } from './metrics-snapshot.ts';
import type { Monitor } from './monitor.ts';
import type { NodeOptions, ReadyInfo } from './options.ts';
import { relayAddressOf } from './relays.ts';
import { caFolderIn, removeRunFile, type RunningServices, writeRunFile } from './runfile.ts';
import { nodeServices } from './services.ts';
import { startDns } from './surfaces-dns.ts';
import { startGateway } from './surfaces-gateway.ts';

export interface Surfaces {
  readonly services: NodeServices;
  readonly ready: ReadyInfo;
  readonly siteUrl: (host: string) => string | undefined;
}

interface SurfacesContext extends Building {
  readonly options: NodeOptions;
  readonly startedMs: number;
  /** Undefined when nobody wants metrics. */
  readonly monitor: Monitor | undefined;
}

/** Rejects with PORT_TAKEN, BIND_FAILED or BAD_ADDRESS. */
export async function startSurfaces(core: Core, context: SurfacesContext): Promise<Surfaces> {
  const { parts } = core;
  const { options, startedMs, stack, monitor } = context;
  const dns = await startDns(parts, context);
  const gateway = await startGateway(parts, { ...context, dns: dns?.value });
  const siteUrl = (host: string): string | undefined => gateway?.siteUrl(host);
  const { storeBudgetBytes } = options;
  const services = nodeServices(parts, {
    startedMs,
    storeBudgetBytes,
    siteUrl,
    onNameChanged: () => {
      gateway?.gateway.forget();
      dns?.value.forgetAbsent();
    },
  });
  const api = await startApi(services, context);
  const counted = {
    startedMs,
    storeBudgetBytes,
    gateway: gateway?.gateway,
    dns: dns?.value,
    api: api?.value,
  };
  monitor?.metrics.follow(metricsSource(parts, counted));
  stack.defer(() => removeRunFile(options.data));
  const { identity, transport } = parts;
  const [listen] = transport.address();
  const at = listen ? formatEndpoint(listen) : '';
  const ports = [gateway?.notes ?? [], dns?.note ?? [], api?.note ?? [], monitor?.note ?? []];
  const notes = [...core.notes, ...ports.flat()];
  const ready: ReadyInfo = {
    node: toHex(identity.node.id),
    author: toHex(identity.author.id),
    authorPublicKey: toHex(identity.author.publicKey),
    listen: at,
    gateway: gateway?.address ?? null,
    registrar: api ? formatHostPort(api.value.address()) : null,
    metrics: monitor?.address ?? null,
    gatewayTls: gateway?.secureAddress ?? null,
    dns: dns ? formatHostPort(dns.value.address()) : null,
    relay: relayAddressOf(options.relay, at) ?? null,
    relays: [],
    notes,
  };
  // Also without an API: so commands can tell a node that takes none from no node at all.
  const address = api && `http://${formatHostPort(reachable(api.value.address()))}`;
  const token = api && options.registrarToken;
  const zone = { tld: options.tld, caDir: path.resolve(options.caDir ?? caFolderIn(options.data)) };
  await writeRunFile(options.data, address, { token, services: servicesOf(ready), zone });
  return { services, ready, siteUrl };
}

async function startApi(
  services: NodeServices,
  { options, stack, log }: SurfacesContext,
): Promise<Bound<Api> | undefined> {
  if (options.registrar === undefined) return undefined;
  const tokenFile = tokenFileIn(options.data);
  const token = options.registrarToken ?? (await loadOrCreateToken(tokenFile));
  const request = { address: options.registrar, explicit: options.registrarExplicit };
  const bound = await bindOrMove(request, async (at) => {
    const api = new Api({ services, token, log }, at);
    await api.start();
    return api;
  });
  stack.use(bound.value);
  return bound;
}

function servicesOf({ gateway, gatewayTls, dns, metrics }: ReadyInfo): RunningServices {
  return { gateway, gatewayTls, dns, metrics };
}

/** Where a program on this machine connects to what listens there. */
function reachable({ host, port }: HostPort): HostPort {
  if (host === '0.0.0.0') return { host: '127.0.0.1', port };
  return host === '::' ? { host: '::1', port } : { host, port };
}
