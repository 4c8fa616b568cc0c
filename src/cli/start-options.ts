/**
 * The options of `altnet start`: their names and defaults as users know them, and what they make
 * of a node. Checks the words; whether a port is free or a folder writable is the node's to find.
 */
import { isIP } from 'node:net';
import type { Command } from 'commander';
import { isToken } from '../api/token.ts';
import type { LogLevel, NodeOptions } from '../node/options.ts';
import { resolveFolders } from './folders.ts';
import {
  flagOption,
  type OptionValues,
  parseAddressOption,
  parseBootstrapOption,
  parseByteCount,
  parseChoice,
  parseCount,
  textOption,
  usageError,
} from './values.ts';

/** Where a node listens when nobody says where. */
export const defaults = {
  listen: '0.0.0.0:9000',
  gateway: '127.0.0.1:8080',
  registrar: '127.0.0.1:9090',
  metrics: '127.0.0.1:9999',
} as const;

const mebibyte = 2 ** 20;
/** Less holds no site worth the name beside the index of what is stored. */
const storeBudgetBytesMin = 16 * mebibyte;
export const storeBudgetBytesDefault: number = 1024 * mebibyte;
const perPeerBudgetBytesDefault = 64 * mebibyte;

const logLevels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];
const replicasMax = 64;

export function describeStart(command: Command): void {
  command
    .optionsGroup('Network:')
    .option('--listen <addr>', 'UDP (DHT) and TCP (connections) (0.0.0.0:9000)')
    .option('-b, --bootstrap <addrs>', 'host:port[#<node ID>],… to join at', joinLists)
    .option('--public', 'this node is directly reachable from the Internet')
    .option('--network <profile>', 'network profile: main or local (main)')
    .optionsGroup('Services:')
    .option('--gateway <addr>', 'HTTP gateway for browsers (127.0.0.1:8080)')
    .option('--no-gateway', 'no HTTP gateway')
    .option('--registrar <addr>', 'HTTP API (127.0.0.1:9090)')
    .option('--no-registrar', 'no HTTP API: other commands cannot reach the node')
    .option('--registrar-token <token>', 'for the HTTP API (<data>/registrar-token.txt)')
    .option('--metrics <addr>', 'metrics and health over HTTP (127.0.0.1:9999)')
    .option('--no-metrics', 'no metrics')
    .option('--headless', 'no prompt, also on a terminal')
    .option('--no-guide', 'do not publish the example site at the first start')
    .optionsGroup('Folders and limits:')
    .option('--data <dir>', "data folder (the platform's)")
    .option('--keydir <dir>', 'key folder (<data>/keys)')
    .option('--store-budget <bytes>', 'disk for sites, at least 16MiB, such as 500MB (1GiB)')
    .option('--per-peer-budget <bytes>', 'of it, for what one peer may store here (64MiB)')
    .option('--replicas <n>', 'full copies of a site that other nodes are to keep (6)')
    .option('--repair-interval <s>', 'seconds between two looks at who else holds them (3600)')
    .optionsGroup('Keys:')
    .option('--export-key', 'print the secret author key, then exit')
    .option('--import-key <key>', 'restore an author key (- reads stdin), then exit')
    .optionsGroup('Accepted, but not available in this version:');
  for (const { flags, description } of laterOptions) command.option(flags, description);
  command
    .optionsGroup('Output:')
    .option('--log-level <level>', `${logLevels.join(', ')} (info; at a prompt warn)`)
    .option('--log-format <format>', 'text or json (text)')
    .addHelpText(
      'after',
      '\nADDR is host:port; port 0 takes a free one. An empty value switches a service off.',
    );
}

/** A repeated option adds to the list. */
function joinLists(value: string, previous: string | undefined): string {
  return previous === undefined ? value : `${previous},${value}`;
}

interface LaterOption {
  readonly flags: string;
  readonly description: string;
  /** Throws USAGE for a value that will not do once the service exists either. */
  readonly check?: (flag: string, text: string) => unknown;
}

const address = parseAddressOption;

function requireIp(flag: string, text: string): void {
  if (isIP(text) === 0) throw usageError(`${flag}: "${text}" is not an IP address`);
}

function requireLabel(flag: string, text: string): void {
  if (/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(text)) return;
  throw usageError(`${flag}: "${text}" is not a label, such as alt`);
}

/** Options of services that are to come: checked, then said to be without effect. */
const laterOptions: readonly LaterOption[] = [
  { flags: '--gateway-tls <addr>', description: 'HTTPS gateway (off)', check: address },
  { flags: '--ca-dir <dir>', description: "folder of the HTTPS gateway's CA (<data>/ca)" },
  { flags: '--dns <addr>', description: 'DNS resolver (127.0.0.1:5354)', check: address },
  { flags: '--no-dns', description: 'no DNS resolver' },
  {
    flags: '--dns-ip <ip>',
    description: 'what .alt names resolve to (127.0.0.1)',
    check: requireIp,
  },
  { flags: '--dns-upstream <addr>', description: "for all other names (the system's)" },
  { flags: '--tld <label>', description: 'the ending of names (alt)', check: requireLabel },
  { flags: '--relay-listen <addr>', description: 'serve as a relay', check: address },
  { flags: '--relay <addrs>', description: 'relays to use', check: parseBootstrapOption },
];

export interface StartInput {
  readonly options: NodeOptions;
  readonly headless: boolean;
  readonly exportKey: boolean;
  readonly importKey: string | undefined;
  /** Long options that the user gave and this version does nothing with: "--dns". */
  readonly unavailable: readonly string[];
}

/** `interactive`: there is a prompt, which an info log would disturb. Throws USAGE. */
export function parseStart(
  values: OptionValues,
  { cwd, interactive }: { cwd: string; interactive: boolean },
): StartInput {
  const text = (name: string): string | undefined => textOption(values, name);
  const [data, keydir] = [text('data'), text('keydir')];
  const token = text('registrarToken');
  if (token !== undefined && !isToken(token)) {
    throw usageError('--registrar-token: write 16 to 512 printable characters without spaces');
  }
  const headless = flagOption(values, 'headless');
  const level = text('logLevel') ?? (interactive && !headless ? 'warn' : 'info');
  const listen = text('listen');
  return {
    options: {
      listen: parseAddressOption('--listen', listen ?? defaults.listen),
      listenExplicit: listen !== undefined,
      bootstrap: parseBootstrapOption('--bootstrap', text('bootstrap') ?? ''),
      gateway: serviceAddress(values, 'gateway'),
      gatewayExplicit: text('gateway') !== undefined,
      registrar: serviceAddress(values, 'registrar'),
      registrarExplicit: text('registrar') !== undefined,
      metrics: serviceAddress(values, 'metrics'),
      metricsExplicit: text('metrics') !== undefined,
      registrarToken: token,
      public: flagOption(values, 'public'),
      guest: false,
      network: parseChoice('--network', text('network') ?? 'main', ['main', 'local']),
      ...resolveFolders({ data, keydir, cwd }),
      logLevel: parseChoice('--log-level', level, logLevels),
      logFormat: parseChoice('--log-format', text('logFormat') ?? 'text', ['text', 'json']),
      ...storeBudgets(text('storeBudget'), text('perPeerBudget')),
      replicas: parseCount('--replicas', text('replicas') ?? '6', { min: 0, max: replicasMax }),
      repairIntervalMs:
        1000 *
        parseCount('--repair-interval', text('repairInterval') ?? '3600', { min: 1, max: 3600 }),
      publishGuide: values['guide'] !== false,
    },
    headless,
    exportKey: flagOption(values, 'exportKey'),
    importKey: text('importKey'),
    unavailable: findUnavailable(values),
  };
}

/** What one peer may store is a part of the whole, also where only the whole was given. */
function storeBudgets(
  store: string | undefined,
  perPeer: string | undefined,
): Pick<NodeOptions, 'storeBudgetBytes' | 'perPeerBudgetBytes'> {
  const storeBudgetBytes =
    store === undefined ? storeBudgetBytesDefault : parseByteCount('--store-budget', store);
  if (storeBudgetBytes < storeBudgetBytesMin) {
    throw usageError(`--store-budget: ${store} is too little; give at least 16MiB`);
  }
  const perPeerBudgetBytes =
    perPeer === undefined
      ? Math.min(perPeerBudgetBytesDefault, storeBudgetBytes)
      : parseByteCount('--per-peer-budget', perPeer);
  if (perPeerBudgetBytes <= storeBudgetBytes) return { storeBudgetBytes, perPeerBudgetBytes };
  const whole = store ?? '1GiB, which it is by default';
  throw usageError(`--per-peer-budget: ${perPeer} is more than --store-budget (${whole})`);
}

/** Undefined when switched off: `--no-gateway` or an empty value. */
function serviceAddress(
  values: OptionValues,
  service: 'gateway' | 'registrar' | 'metrics',
): string | undefined {
  const value = values[service];
  if (value === false || value === '') return undefined;
  return parseAddressOption(`--${service}`, textOption(values, service) ?? defaults[service]);
}

function findUnavailable(values: OptionValues): string[] {
  return laterOptions.flatMap(({ flags, check }) => {
    const [flag = ''] = flags.split(' ');
    const name = flag.slice(2).replace(/-(.)/g, (_, char: string) => char.toUpperCase());
    const value = textOption(values, name);
    if (value === undefined || value === '') return []; // not given, or switched off
    check?.(flag, value);
    return flag === '--tld' && value === 'alt' ? [] : [flag];
  });
}
