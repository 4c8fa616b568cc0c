/**
 * Whether names under .alt get their answer from this node's DNS service, asked as other programs
 * ask, and whether other names still get theirs. Changes nothing.
 */
import { Resolver } from 'node:dns/promises';
import { type Abortable, untilAborted } from '../../base/abort.ts';
import type { HostPort } from '../../base/address.ts';
import { systemCode } from '../../base/errors.ts';
import { formatHostPort } from '../../node/bind.ts';
import type { System } from './system.ts';

/**
 * The root of an empty file: a root always leads to the gateway, and no node is asked about it
 * (docs/spec/dns.md).
 */
export function probeHostOf(tld: string): string {
  return `bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku.${tld}`;
}

/** The same where names end as they mostly do. */
export const probeHost: string = probeHostOf('alt');
/** Reserved by RFC 2606, and there wherever the DNS of the world is. */
export const otherHost = 'example.com';

const answerTimeoutMs = 2000;
/** The system may have resolvers that are silent, and asks them for longer than a person waits. */
const lookupTimeoutMs = 5500;

/** Where names are looked up, and how they end. */
export interface CheckedDns {
  readonly at: HostPort;
  readonly tld: string;
}

/** What the DNS service answers; undefined: there is none. An empty list: it knows no such name. */
export async function askService(
  { at: { host, port }, tld }: CheckedDns,
  { signal }: Abortable = {},
): Promise<readonly string[] | undefined> {
  const resolver = new Resolver({ timeout: answerTimeoutMs, tries: 1 });
  resolver.setServers([formatHostPort({ host, port })]);
  const probed = probeHostOf(tld);
  const ask = async (family: '4' | '6'): Promise<readonly string[] | undefined> => {
    try {
      return await (family === '4' ? resolver.resolve4(probed) : resolver.resolve6(probed));
    } catch (error) {
      return noName.has(systemCode(error) ?? '') ? [] : undefined;
    }
  };
  const answers = await untilAborted(Promise.all([ask('4'), ask('6')]), signal);
  const [first, second] = answers;
  return first && second ? [...first, ...second] : (first ?? second);
}

/** Codes of an answer that names no address. */
const noName: ReadonlySet<string> = new Set(['ENOTFOUND', 'ENODATA']);

export interface DnsCheck {
  /** Undefined: the service does not answer. */
  readonly service: readonly string[] | undefined;
  /** Whether the system gives an address of the service's for a name under .alt. */
  readonly reachesService: boolean;
  /** Whether the system knows another name. */
  readonly knowsOthers: boolean;
}

async function lookUp(
  system: System,
  host: string,
  { signal }: Abortable,
): Promise<readonly string[] | undefined> {
  const inTime = AbortSignal.timeout(lookupTimeoutMs);
  try {
    const until = signal ? AbortSignal.any([inTime, signal]) : inTime;
    return await system.lookup(host, { signal: until });
  } catch (error) {
    signal?.throwIfAborted();
    if (inTime.aborted) return undefined;
    throw error;
  }
}

export async function checkDns(
  system: System,
  { at, tld }: CheckedDns,
  { signal }: Abortable = {},
): Promise<DnsCheck> {
  const [service, seen, other] = await Promise.all([
    askService({ at, tld }, { signal }),
    lookUp(system, probeHostOf(tld), { signal }),
    lookUp(system, otherHost, { signal }),
  ]);
  const reachesService =
    seen !== undefined && service !== undefined && seen.some((ip) => service.includes(ip));
  return { service, reachesService, knowsOthers: other !== undefined };
}
