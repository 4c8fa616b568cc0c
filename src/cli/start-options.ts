/**
 * The options of `altnet start`: their names and defaults as users know them, and what they make
 * of a node. Checks the words; whether a port is free or a folder writable is the node's to find.
 */
import type { Command } from 'commander';
import { isToken } from '../api/token.ts';
import type { LogLevel, NodeOptions } from '../node/options.ts';
import { resolveFolders } from './folders.ts';
import { parseReach } from './reach-options.ts';
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
    .option(
      '--relay <addrs>',
      'host:port[#<node ID>],… of relays to use (found by itself)',
      addRelays,
    )
    .option('--no-relay', 'use no relays', useNoRelays)
    .option('--no-mdns', 'do not look for nodes in the local network')
    .option('--no-port-mapping', 'do not ask the router to let others in')
    .option('--network <profile>', 'network profile: main or local (main)')
    .optionsGroup('Services:')
    .option('--gateway <addr>', 'HTTP gateway for browsers (127.0.0.1:8080)')
    .option('--no-gateway', 'no HTTP gateway')
    .option('--gateway-tls <addr>', 'HTTPS gateway for browsers (off)')
    .option('--ca-dir <dir>', 'folder of its certificate authority (<data>/ca)')
    .option('--dns <addr>', 'DNS service for .alt and all else (127.0.0.1:5354)')
    .option('--no-dns', 'no DNS service')
    .option('--dns-ip <ips>', 'what .alt names resolve to (127.0.0.1)')
    .option('--dns-upstream <addrs>', "host:port,… for all other names (the system's)")
    .option('--tld <label>', 'the ending of names (alt)')
    .option('--relay-listen <addr>', 'serve as a relay for nodes that others cannot reach')
    .option('--relay-data-limit <bytes>', 'of one relayed connection, each way (1GiB)')
    .option('--relay-time-limit <s>', 'seconds that one relayed connection may last (3600)')
    .option('--relay-slots <n>', 'nodes that may be reached through this relay (1000)')
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

/** `previous` is false after --no-relay: whichever came last would hold, and the other be lost. */
function addRelays(value: string, previous: string | false | undefined): string {
  if (previous === false) throw contradiction();
  return joinLists(value, previous);
}

function useNoRelays(_: string, previous: string | false | undefined): false {
  if (previous !== undefined && previous !== false) throw contradiction();
  return false;
}

function contradiction(): Error {
  return usageError('--relay names relays to use, --no-relay uses none: give one of the two');
}

export interface StartInput {
  readonly options: NodeOptions;
  readonly headless: boolean;
  readonly exportKey: boolean;
  readonly importKey: string | undefined;
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
  const folders = resolveFolders({ data, keydir, cwd });
  return {
    options: {
      listen: parseAddressOption('--listen', listen ?? defaults.listen),
      listenExplicit: listen !== undefined,
      bootstrap: parseBootstrapOption('--bootstrap', text('bootstrap') ?? ''),
      gateway: serviceAddress(values, 'gateway'),
      gatewayExplicit: text('gateway') !== undefined,
      registrar: serviceAddress(values, 'registrar'),
      registrarExplicit: text('registrar') !== undefined,
      ...parseReach(values, { data: folders.data, cwd }),
      metrics: serviceAddress(values, 'metrics'),
      metricsExplicit: text('metrics') !== undefined,
      registrarToken: token,
      public: flagOption(values, 'public'),
      guest: false,
      network: parseChoice('--network', text('network') ?? 'main', ['main', 'local']),
      ...folders,
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
