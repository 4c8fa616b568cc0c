/**
 * Nodes that test each other's reachability, in one manual world: what they send arrives at once,
 * unless the receiver is behind a NAT. Only REACH and its knocks exist here.
 */
import { type Endpoint, formatEndpoint } from '../../src/base/address.ts';
import { AltNetError } from '../../src/base/errors.ts';
import type { Logger } from '../../src/base/logger.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { Mode, type ModeOptions } from '../../src/dht/mode/mode.ts';
import type { Answered, Request, Transport } from '../../src/dht/ports.ts';
import type { Contact } from '../../src/identity/contact.ts';
import { type ManualWorld, manualWorld } from './manual-world.ts';
import { requesterAt, seeing } from './mode-samples.ts';

export interface ModeNode {
  readonly contact: Contact;
  readonly mode: Mode;
  /** Whether what it did not ask for gets through to it. */
  open: boolean;
  /** Whether it answers at all. */
  alive: boolean;
}

export class ModeNet {
  readonly world: ManualWorld = manualWorld();
  /** What was sent, as "method → address". */
  readonly sent: string[] = [];
  readonly #nodes = new Map<string, ModeNode>();

  /** A node that knows all others. */
  add(
    contact: Contact,
    { log = silentLogger, ...options }: Partial<ModeOptions> & { log?: Logger } = {},
  ): ModeNode {
    const { world } = this;
    const others = (): Contact[] =>
      [...this.#nodes.values()].map((node) => node.contact).filter((other) => other !== contact);
    const transport = this.#transport(contact);
    const mode = new Mode({ transport, world, log, contacts: others }, options);
    const node: ModeNode = { contact, mode, open: true, alive: true };
    this.#nodes.set(formatEndpoint(contact.endpoint), node);
    return node;
  }

  /** Every other node has answered a request of `node`, and saw it at `observed`. */
  answer(
    node: ModeNode,
    {
      observed,
      secondsAhead = 0,
    }: { observed?: (n: number) => string; secondsAhead?: number } = {},
  ): void {
    const unixTime = Math.floor(this.world.clock.unixMs() / 1000) + secondsAhead;
    const own = formatEndpoint(node.contact.endpoint);
    [...this.#nodes.values()].forEach((other, n) => {
      if (other === node || !other.alive) return;
      node.mode.observe(other.contact, seeing(observed?.(n) ?? own, { unixTime }));
    });
  }

  #at(endpoint: Endpoint): ModeNode | undefined {
    const node = this.#nodes.get(formatEndpoint(endpoint));
    return node?.alive ? node : undefined;
  }

  #transport(from: Contact): Pick<Transport, 'call' | 'knock'> {
    return {
      call: async <R extends Request>(to: Contact, request: R): Promise<Answered<R>> => {
        this.sent.push(`${request.method} → ${formatEndpoint(to.endpoint)}`);
        const node = this.#at(to.endpoint);
        if (!node || request.method !== 'reach') {
          throw new AltNetError('TIMEOUT', { what: 'a node', ms: 1 });
        }
        const reply = await node.mode.reach(requesterAt(from), request);
        return {
          reply: reply as Answered<R>['reply'],
          info: seeing(formatEndpoint(from.endpoint)),
        };
      },
      knock: async (to, nonce) => {
        this.sent.push(`knock → ${formatEndpoint(to.endpoint)}`);
        const node = this.#at(to.endpoint);
        if (node?.open) node.mode.onNonce(requesterAt(from), nonce);
      },
    };
  }
}
