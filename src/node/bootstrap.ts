/**
 * Addresses at which a node may find its first peers: what users write, in options and in the file
 * bootstrap.txt, and who is there. When they are asked, bootstrapper.ts knows.
 */
import { lookup } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { abortReason, untilAborted, withDeadline } from '../base/abort.ts';
import { type Endpoint, formatEndpoint, parseHostPort, parseIp } from '../base/address.ts';
import { equalBytes, parseHex, toHex, type Bytes } from '../base/bytes.ts';
import type { World } from '../base/clock.ts';
import { AltNetError, isAltNetError, systemCode } from '../base/errors.ts';
import type { Transport } from '../dht/ports.ts';
import type { Contact } from '../identity/contact.ts';

export interface BootstrapAddress {
  /** As the user wrote it. */
  readonly text: string;
  readonly host: string;
  readonly port: number;
  /** Node ID that must answer there; undefined takes whoever does. */
  readonly nodeId: Bytes | undefined;
}

const addressesMax = 64;
const hostLookupTimeoutMs = 5000;
/** The system looks names up on the threads that files are read on: four, if nobody says more. */
const hostLookupsAtOnce = 2;
const endpointsMax = 4;

/** "host:port" or "host:port#<64 hex digits>". Throws BAD_ADDRESS. */
export function parseBootstrapAddress(text: string): BootstrapAddress {
  const [address = '', pin, ...more] = text.trim().split('#');
  const parsed = parseHostPort(address);
  const nodeId = pin === undefined ? undefined : parseHex(pin, 32);
  const pinIsBad = pin !== undefined && nodeId === undefined;
  if (!parsed || parsed.host === '' || parsed.port === 0 || pinIsBad || more.length > 0) {
    throw new AltNetError('BAD_ADDRESS', { text, want: 'host:port or host:port#<node ID>' });
  }
  return { text: text.trim(), ...parsed, nodeId };
}

/** One address a line, `#` at the start of a line for remarks. A missing file is an empty list. */
export async function readBootstrapFile(file: string): Promise<BootstrapAddress[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw new AltNetError('PATH_UNREADABLE', {
      path: file,
      why: systemCode(error) ?? 'unreadable',
    });
  }
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  return lines
    .filter((line) => line !== '' && !line.startsWith('#'))
    .slice(0, addressesMax)
    .map((line) => parseLine(line, file));
}

/** Like `parseBootstrapAddress`; the error names the file, which the user may have forgotten. */
function parseLine(line: string, file: string): BootstrapAddress {
  try {
    return parseBootstrapAddress(line);
  } catch (error) {
    if (!isAltNetError(error, 'BAD_ADDRESS')) throw error;
    const { text, want } = error.details;
    throw new AltNetError('BAD_ADDRESS', { text, want: `${want} in ${file}` }, { cause: error });
  }
}

/** All of them, each once: what names a node ID takes the place of the same without one. */
export function mergeAddresses(
  ...lists: readonly (readonly BootstrapAddress[])[]
): BootstrapAddress[] {
  const all = lists.flat();
  const pinned = new Set(all.flatMap((address) => (address.nodeId ? placeOf(address) : [])));
  const merged = new Map<string, BootstrapAddress>(); // BOUNDED by what the user wrote
  for (const address of all) {
    const place = placeOf(address);
    if (!address.nodeId && pinned.has(place)) continue;
    const key = `${place}#${address.nodeId ? toHex(address.nodeId) : ''}`;
    if (!merged.has(key)) merged.set(key, address);
  }
  return [...merged.values()].slice(0, addressesMax);
}

function placeOf({ host, port }: BootstrapAddress): string {
  const ip = parseIp(host);
  return ip ? formatEndpoint({ ip, port }) : `${host.toLowerCase().replace(/\.$/, '')}:${port}`;
}

/** Looks up host names, anew each time, and not many at a time. */
export class HostNames {
  readonly #waiting: (() => void)[] = []; // BOUNDED by the addresses that are asked
  #free = hostLookupsAtOnce;

  /** Rejects as the system does, or with the signal's reason. */
  find(host: string, signal: AbortSignal): Promise<readonly Bytes[]> {
    // The system's name lookup cannot be stopped.
    return untilAborted(this.#find(host, signal), signal);
  }

  async #find(host: string, signal: AbortSignal): Promise<readonly Bytes[]> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      // The place is taken until the system is done, also when nobody waits for it any more.
      const found = signal.aborted ? [] : await lookup(host, { all: true });
      return found.flatMap(({ address }) => parseIp(address) ?? []);
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free += 1;
    }
  }
}

export interface AskContext {
  readonly world: World;
  readonly names?: HostNames | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Asks who is there; a proven contact, the first that answers where a name has several addresses.
 * Rejects with UNREACHABLE, WRONG_PEER or ABORTED.
 */
export async function contactAt(
  address: BootstrapAddress,
  transport: Pick<Transport, 'identify'>,
  context: AskContext,
): Promise<Contact> {
  const { signal } = context;
  const endpoints = await endpointsOf(address, context);
  const ended = new AbortController();
  const until = signal ? AbortSignal.any([signal, ended.signal]) : ended.signal;
  try {
    return await Promise.any(
      endpoints.map(async (endpoint) => {
        const contact = await transport.identify(endpoint, { signal: until });
        if (address.nodeId && !equalBytes(address.nodeId, contact.id)) {
          throw wrongPeer(endpoint, { want: address.nodeId, have: contact.id });
        }
        return contact;
      }),
    );
  } catch (error) {
    if (signal?.aborted) throw abortReason(signal);
    const failures: readonly unknown[] = error instanceof AggregateError ? error.errors : [error];
    const wrong = failures.find((failure) => isAltNetError(failure, 'WRONG_PEER'));
    if (wrong) throw wrong;
    const why = 'no AltNet node of this network answers there';
    throw new AltNetError('UNREACHABLE', { what: address.text, why }, { cause: error });
  } finally {
    ended.abort(new AltNetError('ABORTED', {}));
  }
}

function wrongPeer(
  endpoint: Endpoint,
  { want, have }: { want: Bytes; have: Bytes },
): AltNetError<'WRONG_PEER'> {
  const address = formatEndpoint(endpoint);
  return new AltNetError('WRONG_PEER', { address, want: toHex(want), have: toHex(have) });
}

/** All addresses of its host. Rejects with UNREACHABLE or ABORTED. */
export async function endpointsOf(
  { text, host, port }: BootstrapAddress,
  { world, names = new HostNames(), signal }: AskContext,
): Promise<Endpoint[]> {
  const ip = parseIp(host);
  if (ip) return [{ ip, port }];
  try {
    const found = await withDeadline(
      { timers: world.timers, ms: hostLookupTimeoutMs, what: `looking up ${host}`, signal },
      (deadline) => names.find(host, deadline),
    );
    return found.slice(0, endpointsMax).map((each) => ({ ip: each, port }));
  } catch (cause) {
    if (signal?.aborted) throw abortReason(signal);
    const why = 'the host name is not known';
    throw new AltNetError('UNREACHABLE', { what: text, why }, { cause });
  }
}
