/**
 * Several DHT nodes in one manual world, whose requests arrive at once: for tests of one node's
 * behaviour among few. Networks of many, with latency and loss, are the simulator's business.
 */
import { formatEndpoint } from '../../src/base/address.ts';
import { abortReason, sleep } from '../../src/base/abort.ts';
import { AltNetError } from '../../src/base/errors.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { Dht, type DhtOptions } from '../../src/dht/dht.ts';
import type { RecordDenials } from '../../src/dht/rules/denial.ts';
import type { Answered, Request, RequestHandler, Transport } from '../../src/dht/ports.ts';
import { type Contact, contactOf } from '../../src/identity/contact.ts';
import { nodeKey, testNetwork, testProfile } from './dht-samples.ts';
import { type ManualWorld, manualWorld } from './manual-world.ts';
import { MemoryRecordStore } from './memory-store.ts';

export interface DirectNode {
  readonly contact: Contact;
  readonly dht: Dht;
  readonly records: MemoryRecordStore;
}

interface Host {
  readonly contact: Contact;
  readonly server: boolean;
  handler: RequestHandler | undefined;
}

export class DirectNet {
  readonly world: ManualWorld = manualWorld();
  /** Requests as "method → last digit of the address". */
  readonly log: string[] = [];
  /** Those of them that were given up without an answer. */
  readonly ended: string[] = [];
  /** Nodes that get requests and never answer. */
  readonly silent: Set<Contact> = new Set();
  /** Nodes that take so long to answer. */
  readonly delaysMs: Map<Contact, number> = new Map();
  /** What all nodes deny. */
  denies: RecordDenials | undefined;
  readonly #hosts = new Map<string, Host>();
  readonly #removed = new Map<string, Host>();

  /** Node `n` has the address 10.0.0.n; not yet started. */
  add(
    n: number,
    { server = true, options = {} }: { server?: boolean; options?: Partial<DhtOptions> } = {},
  ): DirectNode {
    const endpoint = { ip: Uint8Array.of(10, 0, 0, n), port: 9000 };
    const contact = contactOf(nodeKey(n).publicKey, endpoint);
    const records = new MemoryRecordStore();
    const dht = new Dht(
      {
        self: () => contact,
        transport: this.#transport({ contact, server, handler: undefined }),
        records,
        world: this.world,
        profile: testProfile,
        network: testNetwork,
        log: silentLogger,
        contactRecord: () => Uint8Array.of(n),
        isServer: () => server,
        denies: (record) => this.denies?.(record),
      },
      options,
    );
    return { contact, dht, records };
  }

  /** Nodes 1 … count, joined through node 1; each knows those who asked it. */
  async start(count: number, options: Partial<DhtOptions> = {}): Promise<DirectNode[]> {
    const nodes = Array.from({ length: count }, (_, i) => this.add(i + 1, { options }));
    const [seed] = nodes;
    for (const node of nodes) {
      await node.dht.start();
      if (seed && node !== seed) await node.dht.join([seed.contact]);
    }
    await this.world.advanceAsync(60_000);
    return nodes;
  }

  /** Takes a node off the network. */
  remove({ endpoint }: Contact): void {
    const address = formatEndpoint(endpoint);
    const host = this.#hosts.get(address);
    if (host) this.#removed.set(address, host);
    this.#hosts.delete(address);
  }

  /** Puts it back. */
  restore({ endpoint }: Contact): void {
    const address = formatEndpoint(endpoint);
    const host = this.#removed.get(address);
    if (host) this.#hosts.set(address, host);
  }

  #transport(self: Host): Transport {
    this.#hosts.set(formatEndpoint(self.contact.endpoint), self);
    return {
      serve: (handler) => {
        self.handler = handler;
      },
      call: (to, request, options) => this.#call(self, { to, request, signal: options?.signal }),
      identify: () => Promise.reject(new AltNetError('INTERNAL', { what: 'not asked for here' })),
      knock: () => Promise.reject(new AltNetError('INTERNAL', { what: 'not asked for here' })),
    };
  }

  async #call<R extends Request>(
    from: Host,
    { to, request, signal }: { to: Contact; request: R; signal: AbortSignal | undefined },
  ): Promise<Answered<R>> {
    signal?.throwIfAborted();
    const line = `${request.method} → ${to.endpoint.ip.at(-1)}`;
    this.log.push(line);
    const host = this.#hosts.get(formatEndpoint(to.endpoint));
    if (host && this.silent.has(host.contact)) {
      signal?.addEventListener('abort', () => this.ended.push(line), { once: true });
      return untilAborted(signal);
    }
    const delayMs = (host && this.delaysMs.get(host.contact)) ?? 0;
    if (delayMs > 0) await sleep(this.world.timers, delayMs, signal);
    const requester = { contact: from.contact, server: from.server, addressProven: true };
    const reply = await host?.handler?.(requester, request);
    const what = formatEndpoint(to.endpoint);
    if (!host || !reply) throw new AltNetError('UNREACHABLE', { what, why: 'nobody is there' });
    const observed = from.contact.endpoint;
    const info = { rttMs: 1, observed, unixTime: 0, server: host.server, networkSize: undefined };
    return { reply: reply as Answered<R>['reply'], info };
  }
}

function untilAborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(abortReason(signal)), { once: true });
  });
}
