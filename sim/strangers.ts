/**
 * The caution of `rpc` towards addresses that never answered (src/rpc/gate.ts), for simulated
 * nodes: two datagrams in ten seconds, and after a failure none for ten minutes. Unlike there, what
 * is kept of an address goes when it answers, as `Acquaintances` remembers that for all nodes.
 */
import { type Endpoint, formatIp } from '../src/base/address.ts';

const sendsMax = 2;
const windowMs = 10_000;
const failedMs = 10 * 60_000;
const keptMax = 256;

interface Stranger {
  /** Of the last sends. BOUNDED by sendsMax. */
  sentMs: readonly number[];
  /** Whole endpoints: an address may have several. BOUNDED by keptMax. */
  readonly failed: Map<number, number>;
}

export class Strangers {
  readonly #byIp = new Map<string, Stranger>(); // BOUNDED by keptMax, oldest first

  refusal({ ip, port }: Endpoint, nowMs: number): string | undefined {
    const stranger = this.#byIp.get(formatIp(ip));
    if (!stranger) return undefined;
    const failed = stranger.failed.get(port);
    if (failed !== undefined && nowMs - failed < failedMs) return 'failed lately';
    const recent = stranger.sentMs.filter((sentMs) => nowMs - sentMs < windowMs);
    return recent.length < sendsMax ? undefined : 'asked too often without an answer';
  }

  noteSent({ ip }: Endpoint, nowMs: number): void {
    const stranger = this.#of(ip);
    stranger.sentMs = [...stranger.sentMs, nowMs].slice(-sendsMax);
  }

  noteFailed({ ip, port }: Endpoint, nowMs: number): void {
    const { failed } = this.#of(ip);
    if (failed.size < keptMax) failed.set(port, nowMs);
  }

  forget({ ip }: Endpoint): void {
    if (this.#byIp.size > 0) this.#byIp.delete(formatIp(ip));
  }

  #of(ip: Endpoint['ip']): Stranger {
    const address = formatIp(ip);
    const known = this.#byIp.get(address);
    if (known) return known;
    const [oldest] = this.#byIp.keys();
    if (this.#byIp.size >= keptMax && oldest !== undefined) this.#byIp.delete(oldest);
    const stranger: Stranger = { sentMs: [], failed: new Map() };
    this.#byIp.set(address, stranger);
    return stranger;
  }
}
