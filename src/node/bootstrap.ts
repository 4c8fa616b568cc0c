/**
 * How a node finds its first peers: addresses given by the user, the file bootstrap.txt, and the
 * contacts of the last run. It goes on trying while the routing table is empty.
 */
import { lookup } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { abortReason, sleep, withDeadline } from '../base/abort.ts';
import { type Endpoint, formatEndpoint, parseHostPort, parseIp } from '../base/address.ts';
import { equalBytes, parseHex, toHex, type Bytes } from '../base/bytes.ts';
import type { World } from '../base/clock.ts';
import { AltNetError, isAltNetError, systemCode } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
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
const retryFirstMs = 1000;
const retryMaxMs = 60_000;
const checkMs = 5000;

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

/** Asks who is there; a proven contact. Rejects with UNREACHABLE, WRONG_PEER, TIMEOUT, ABORTED. */
export async function contactAt(
  address: BootstrapAddress,
  transport: Transport,
  { world, signal }: { world: World; signal?: AbortSignal | undefined },
): Promise<Contact> {
  let failure: unknown;
  for (const endpoint of await endpointsOf(address, world, signal)) {
    try {
      const contact = await transport.identify(endpoint, { signal });
      if (address.nodeId && !equalBytes(address.nodeId, contact.id)) {
        throw new AltNetError('WRONG_PEER', {
          address: formatEndpoint(endpoint),
          want: toHex(address.nodeId),
          have: toHex(contact.id),
        });
      }
      return contact;
    } catch (error) {
      if (signal?.aborted) throw abortReason(signal);
      failure = error;
    }
  }
  if (isAltNetError(failure, 'WRONG_PEER')) throw failure;
  const why = 'no AltNet node of this network answers there';
  throw new AltNetError('UNREACHABLE', { what: address.text, why }, { cause: failure });
}

async function endpointsOf(
  { text, host, port }: BootstrapAddress,
  world: World,
  signal: AbortSignal | undefined,
): Promise<Endpoint[]> {
  const ip = parseIp(host);
  if (ip) return [{ ip, port }];
  try {
    const found = await withDeadline(
      { timers: world.timers, ms: hostLookupTimeoutMs, what: `looking up ${host}`, signal },
      (deadline) => untilAborted(lookup(host, { all: true }), deadline),
    );
    return found.slice(0, 4).flatMap(({ address }) => {
      const parsed = parseIp(address);
      return parsed ? [{ ip: parsed, port }] : [];
    });
  } catch (cause) {
    if (signal?.aborted) throw abortReason(signal);
    const why = 'the host name is not known';
    throw new AltNetError('UNREACHABLE', { what: text, why }, { cause });
  }
}

/** The work's result, unless the signal comes first: the system's name lookup cannot be stopped. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(abortReason(signal));
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

export interface JoiningDht {
  join(seeds: readonly Contact[], options: { signal: AbortSignal }): Promise<number>;
  readonly table: { readonly size: number };
}

export interface BootstrapperDeps {
  readonly transport: Transport;
  readonly dht: JoiningDht;
  readonly world: World;
  readonly log: Logger;
  /** Contacts that are worth a try without being named: those of the last run. */
  readonly remembered: () => readonly Contact[];
}

/**
 * Keeps a node connected: joins at start and again whenever the routing table has run empty, and
 * goes on with the addresses where nobody answered, as others may be reached only through them.
 */
export class Bootstrapper {
  readonly #deps: BootstrapperDeps;
  readonly #addresses: readonly BootstrapAddress[];
  readonly #stopping = new AbortController();
  // BOUNDED by addressesMax. Those of which no node was ever seen.
  readonly #unreached: Set<BootstrapAddress>;
  #work: Promise<void> | undefined;

  constructor(deps: BootstrapperDeps, addresses: readonly BootstrapAddress[]) {
    this.#deps = deps;
    this.#addresses = addresses.slice(0, addressesMax);
    this.#unreached = new Set(this.#addresses);
  }

  /** Tries once and resolves with the size of the table; goes on in the background. */
  async start({ signal }: { signal?: AbortSignal | undefined } = {}): Promise<number> {
    const ended = this.#stopping.signal;
    const first = this.#tryOnce(
      this.#addresses,
      signal ? AbortSignal.any([signal, ended]) : ended,
      'warn',
    );
    this.#work ??= first.then(() => this.#keepConnected());
    await first;
    return this.#deps.dht.table.size;
  }

  /** Resolves when nothing is under way. */
  async stop(): Promise<void> {
    this.#stopping.abort(new AltNetError('ABORTED', {}));
    await this.#work;
  }

  /** Never rejects. */
  async #tryOnce(
    addresses: readonly BootstrapAddress[],
    signal: AbortSignal,
    level: 'warn' | 'debug',
  ): Promise<void> {
    const { transport, dht, world, log, remembered } = this.#deps;
    const asked = await Promise.all(
      addresses.map((address) => this.#ask(address, { transport, world, signal, level })),
    );
    const seeds = asked.filter((contact) => contact !== undefined);
    // Who has just answered may have moved since: then where it was remembered is wrong.
    const answered = new Set(seeds.map(({ id }) => toHex(id)));
    const earlier = dht.table.size === 0 ? remembered() : [];
    const all = [...seeds, ...earlier.filter(({ id }) => !answered.has(toHex(id)))];
    if (signal.aborted || all.length === 0) return;
    try {
      await dht.join(all, { signal });
    } catch (error) {
      if (!signal.aborted) log.warn('joining failed', { why: String(error) });
    }
  }

  async #ask(
    address: BootstrapAddress,
    {
      transport,
      level,
      ...context
    }: { transport: Transport; world: World; signal: AbortSignal; level: 'warn' | 'debug' },
  ): Promise<Contact | undefined> {
    try {
      const contact = await contactAt(address, transport, context);
      this.#unreached.delete(address);
      return contact;
    } catch (error) {
      if (!context.signal.aborted)
        this.#deps.log[level]('bootstrap failed', { why: String(error) });
      return undefined;
    }
  }

  async #keepConnected(): Promise<void> {
    const { signal } = this.#stopping;
    const { dht, world } = this.#deps;
    let waitMs = retryFirstMs;
    while (!signal.aborted) {
      const isDone = dht.table.size > 0 && this.#unreached.size === 0;
      if (isDone) waitMs = retryFirstMs;
      try {
        await sleep(world.timers, isDone ? checkMs : waitMs, signal);
      } catch {
        return; // stopped
      }
      const isAlone = dht.table.size === 0;
      if (isDone && !isAlone) continue;
      waitMs = Math.min(waitMs * 2, retryMaxMs);
      // What is wrong was said at the start.
      await this.#tryOnce(isAlone ? this.#addresses : [...this.#unreached], signal, 'debug');
    }
  }
}
