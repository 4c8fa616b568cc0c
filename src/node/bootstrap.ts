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
    .map(parseBootstrapAddress);
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

/** Keeps a node connected: joins at start, and again whenever the routing table has run empty. */
export class Bootstrapper {
  readonly #deps: BootstrapperDeps;
  readonly #addresses: readonly BootstrapAddress[];
  readonly #stopping = new AbortController();
  #loop: Promise<void> | undefined;

  constructor(deps: BootstrapperDeps, addresses: readonly BootstrapAddress[]) {
    this.#deps = deps;
    this.#addresses = addresses.slice(0, addressesMax);
  }

  /** Tries once and resolves with the size of the table; goes on in the background. */
  async start({ signal }: { signal?: AbortSignal | undefined } = {}): Promise<number> {
    const either = signal
      ? AbortSignal.any([signal, this.#stopping.signal])
      : this.#stopping.signal;
    await this.#tryOnce(either);
    this.#loop ??= this.#keepConnected();
    return this.#deps.dht.table.size;
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new AltNetError('ABORTED', {}));
    await this.#loop;
  }

  async #tryOnce(signal: AbortSignal): Promise<void> {
    const { transport, dht, world, log, remembered } = this.#deps;
    const asked = await Promise.allSettled(
      this.#addresses.map((address) => contactAt(address, transport, { world, signal })),
    );
    if (signal.aborted) return;
    const seeds = asked.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    for (const result of asked) {
      if (result.status === 'rejected')
        log.warn('bootstrap failed', { why: String(result.reason) });
    }
    const all = [...seeds, ...remembered()];
    if (all.length === 0) return;
    try {
      await dht.join(all, { signal });
    } catch (error) {
      if (!signal.aborted) log.warn('joining failed', { why: String(error) });
    }
  }

  async #keepConnected(): Promise<void> {
    const { signal } = this.#stopping;
    const { timers } = this.#deps.world;
    let waitMs = retryFirstMs;
    while (!signal.aborted) {
      const connected = this.#deps.dht.table.size > 0;
      waitMs = connected ? retryFirstMs : Math.min(waitMs * 2, retryMaxMs);
      try {
        await sleep(timers, connected ? checkMs : waitMs, signal);
      } catch {
        return; // stopped
      }
      if (this.#deps.dht.table.size === 0) await this.#tryOnce(signal);
    }
  }
}
