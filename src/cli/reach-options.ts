/**
 * The options of `altnet start` that say how browsers and other nodes reach this one: HTTPS, DNS,
 * relays, the local network, the router. Checks the words only.
 */
import { isIP, isIPv4 } from 'node:net';
import path from 'node:path';
import { parseHostPort } from '../base/address.ts';
import type { DnsOptions, NodeOptions, RelayOptions } from '../node/options.ts';
import { relayDefaults } from '../node/options.ts';
import { isEnding } from '../node/runfile.ts';
import {
  type OptionValues,
  parseAddressOption,
  parseBootstrapOption,
  parseByteCount,
  parseCount,
  textOption,
  usageError,
} from './values.ts';

type Reach = Pick<
  NodeOptions,
  'gatewayTls' | 'caDir' | 'dns' | 'tld' | 'relay' | 'mdns' | 'portMapping'
>;

export const dnsDefault = '127.0.0.1:5354';
const dnsIpDefault = '127.0.0.1';
const upstreamsMax = 8;
const relaysMax = 8;
const dnsPort = 53;
/** Less than one block and what goes with it would carry nothing. */
const relayBytesMin = 2 ** 20;
const daySeconds = 86_400;
const relayLimits = [
  ['relayDataLimit', '--relay-data-limit'],
  ['relayTimeLimit', '--relay-time-limit'],
  ['relaySlots', '--relay-slots'],
] as const;

/** Throws USAGE. */
export function parseReach(
  values: OptionValues,
  { data, cwd }: { readonly data: string; readonly cwd: string },
): Reach {
  const given = textOption(values, 'caDir');
  const caDir = given ? path.resolve(cwd, given) : path.join(data, 'ca');
  const tls = textOption(values, 'gatewayTls');
  return {
    gatewayTls: tls
      ? { address: parseAddressOption('--gateway-tls', tls), explicit: true, caDir }
      : undefined,
    ...(given && { caDir }),
    dns: parseDns(values),
    tld: parseEnding(textOption(values, 'tld')) ?? 'alt',
    relay: parseRelay(values),
    mdns: values['mdns'] !== false,
    portMapping: values['portMapping'] !== false,
  };
}

/** Undefined when switched off: `--no-dns` or an empty value. */
function parseDns(values: OptionValues): DnsOptions | undefined {
  if (values['dns'] === false || values['dns'] === '') return undefined;
  const given = textOption(values, 'dns');
  const ips = listOf(textOption(values, 'dnsIp') ?? dnsIpDefault);
  for (const ip of ips) {
    if (isIP(ip) === 0) throw usageError(`--dns-ip: "${ip}" is not an IP address`);
  }
  const families = new Set(ips.map((ip) => isIPv4(ip)));
  if (ips.length === 0 || families.size < ips.length) {
    throw usageError('--dns-ip: give one IPv4 address, one IPv6 address, or both');
  }
  const upstream = listOf(textOption(values, 'dnsUpstream') ?? '').map(parseUpstream);
  if (upstream.length > upstreamsMax) throw usageError(`--dns-upstream: at most ${upstreamsMax}`);
  return {
    address: parseAddressOption('--dns', given ?? dnsDefault),
    explicit: given !== undefined,
    ips,
    upstream,
  };
}

function parseUpstream(text: string): string {
  const address = isIP(text) > 0 ? withDnsPort(text) : text;
  const { host = '', port = 0 } = parseHostPort(address) ?? {};
  if (host !== '' && port > 0) return address;
  const want = 'write an IP address, or host:port such as 192.0.2.1:53';
  throw usageError(`--dns-upstream: "${text}" is not the address of a resolver; ${want}`);
}

function withDnsPort(ip: string): string {
  return isIPv4(ip) ? `${ip}:${dnsPort}` : `[${ip}]:${dnsPort}`;
}

function parseRelay(values: OptionValues): RelayOptions {
  const listen = textOption(values, 'relayListen');
  const via = parseBootstrapOption('--relay', textOption(values, 'relay') ?? '');
  if (via.length > relaysMax) throw usageError(`--relay: at most ${relaysMax}`);
  requireRelayOf(values, listen);
  const [bytes, seconds, slots] = relayLimits.map(([name]) => textOption(values, name));
  const connectionBytesMax = bytes
    ? parseByteCount('--relay-data-limit', bytes)
    : relayDefaults.connectionBytesMax;
  if (connectionBytesMax < relayBytesMin) {
    throw usageError('--relay-data-limit: give at least 1MiB');
  }
  return {
    listen: listen ? parseAddressOption('--relay-listen', listen) : undefined,
    via,
    search: values['relay'] !== false && via.length === 0,
    connectionBytesMax,
    connectionMs: seconds
      ? 1000 * parseCount('--relay-time-limit', seconds, { min: 1, max: daySeconds })
      : relayDefaults.connectionMs,
    slotsMax: slots
      ? parseCount('--relay-slots', slots, { min: 1, max: 10_000 })
      : relayDefaults.slotsMax,
  };
}

/** Limits of a relay that is none would be kept by nobody. */
function requireRelayOf(values: OptionValues, listen: string | undefined): void {
  if (listen) return;
  for (const [name, flag] of relayLimits) {
    if (values[name] === undefined) continue;
    throw usageError(
      `${flag} is a limit of a relay, and this node would be none; add --relay-listen ADDRESS`,
    );
  }
}

/** What `--tld` says. Throws USAGE. */
export function parseEnding(text: string | undefined): string | undefined {
  const ending = text?.toLowerCase();
  if (ending === undefined || isEnding(ending)) return ending;
  throw usageError(`--tld: "${text}" is not a label, such as alt`);
}

/** Comma-separated; empty parts are left out. */
function listOf(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
