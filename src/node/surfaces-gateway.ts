/**
 * The gateway of a node: where its doors are, whose certificates it shows, and whom it asks for
 * names, content and DNS. What it answers is not its matter.
 */
import path from 'node:path';
import type { CertificateAuthority } from '../ca/authority.ts';
import type { DnsService } from '../dns/dns-service.ts';
import type { AnswerDns } from '../gateway/dns-query.ts';
import { Gateway, type GatewayDeps } from '../gateway/gateway.ts';
import { bindOrMove, formatHostPort } from './bind.ts';
import type { Building } from './core.ts';
import type { NodeOptions } from './options.ts';
import { OwnAuthority } from './own-authority.ts';
import type { Parts } from './parts.ts';

export interface RunningGateway {
  readonly gateway: Gateway;
  /** host:port; null for a door that is closed. */
  readonly address: string | null;
  readonly secureAddress: string | null;
  /** Sentences for the user. */
  readonly notes: readonly string[];
  /** Where a browser opens a site without any set-up, if it can. */
  readonly siteUrl: (label: string) => string;
}

type GatewayContext = Building & {
  readonly options: Pick<
    NodeOptions,
    'gateway' | 'gatewayExplicit' | 'gatewayTls' | 'caDir' | 'data' | 'tld'
  >;
  readonly dns: Pick<DnsService, 'answerHttps'> | undefined;
};

/**
 * Undefined when all of it is switched off. Rejects with PORT_TAKEN, BIND_FAILED or BAD_ADDRESS,
 * and for HTTPS like CertificateAuthority.open.
 */
export async function startGateway(
  parts: Pick<Parts, 'names' | 'sites' | 'stats' | 'trust' | 'world'>,
  context: GatewayContext,
): Promise<RunningGateway | undefined> {
  const { options, stack } = context;
  const { tld } = options;
  if (options.gateway === undefined && !options.gatewayTls) return undefined;
  const folder = options.gatewayTls?.caDir ?? options.caDir ?? path.join(options.data, 'ca');
  const authority = new OwnAuthority(folder, { tld, world: parts.world }, context.log);
  const deps = gatewayDeps(parts, context, () => authority.find());
  const plain = await startPlain(deps, options);
  const gateway = stack.use(plain?.value ?? new Gateway(deps, { ...nowhere, tld }));
  const secure = await startSecure(gateway, options, () => authority.open());
  // What was resolved in other zones must not be shown any more.
  stack.defer(parts.trust.registrars.onChange(() => gateway.forget()));
  return {
    gateway,
    address: plain ? formatHostPort(gateway.address()) : null,
    secureAddress: secure ? formatHostPort(gateway.secureAddress()) : null,
    notes: [plain?.note ?? [], secure?.note ?? []].flat(),
    siteUrl: (label) =>
      plain
        ? `http://${label}.localhost:${gateway.address().port}/`
        : `https://${label}.${tld}${portText(gateway.secureAddress().port)}/`,
  };
}

/** For a gateway whose plain door stays closed. */
const nowhere = { host: '127.0.0.1', port: 0 } as const;
const httpsPort = 443;

function portText(port: number): string {
  return port === httpsPort ? '' : `:${port}`;
}

function startPlain(
  deps: GatewayDeps,
  { gateway: address, gatewayExplicit: explicit, tld }: GatewayContext['options'],
): Promise<{ value: Gateway; note: string | undefined }> | undefined {
  if (address === undefined) return undefined;
  return bindOrMove({ address, explicit }, async (at) => {
    const gateway = new Gateway(deps, { ...at, tld });
    await gateway.start();
    return gateway;
  });
}

async function startSecure(
  gateway: Gateway,
  { gatewayTls }: GatewayContext['options'],
  open: () => Promise<CertificateAuthority>,
): Promise<{ note: string | undefined } | undefined> {
  if (!gatewayTls) return undefined;
  const certificates = await open();
  return bindOrMove(gatewayTls, (at) => gateway.startSecure(at, certificates));
}

function gatewayDeps(
  { names, sites, stats, trust, world }: Parameters<typeof startGateway>[0],
  { dns, log }: GatewayContext,
  findCertificates: GatewayDeps['findCertificates'],
): GatewayDeps {
  const answerDns: AnswerDns | undefined =
    dns && ((message, { address }) => dns.answerHttps(message, address));
  return {
    names,
    sites,
    dags: sites,
    log,
    world,
    onServed: (served) => stats.served(served),
    denials: trust.denials,
    findCertificates,
    dns: answerDns,
  };
}
