/**
 * Attackers. They own as many nodes and addresses as a test gives them, know each other, and answer
 * what they like; what they cannot do is receive at another's address or sign with another's key.
 *
 * A contact may carry an ID that was made up: where an attack needs an ID near some key, its owner
 * is taken to have ground a key for it, which costs N key pairs for each node.
 */
import { type Bytes, equalBytes } from '../src/base/bytes.ts';
import { compareDistance, randomIdSharing } from '../src/dht/distance.ts';
import type { Reply, Request, Requester, Transport } from '../src/dht/ports.ts';
import type { Contact } from '../src/identity/contact.ts';
import type { SignedRecord } from '../src/record/envelope.ts';
import { storeStatuses } from '../src/record/kinds.ts';
import type { SimNode } from './node.ts';
import { replyBytes } from './packet-size.ts';
import type { SeededRandom } from './random.ts';
import type { Simulation } from './simulation.ts';

type Answer = Reply | undefined | Promise<Reply | undefined>;

/** What an attacker answers; `honestly` gives what the node behind it would have said. */
export type Lie = (asked: {
  readonly from: Requester;
  readonly request: Request;
  readonly honestly: () => Answer;
}) => Answer;

/** A node that nothing but a lie stands behind. */
export class HostileNode {
  readonly contact: Contact;
  readonly #transport: Transport;

  constructor(sim: Simulation, { id, ip, lie }: { id?: Bytes; ip?: Bytes; lie: Lie }) {
    const publicKey = sim.random.bytes(32);
    const endpoint = { ip: ip ?? sim.takeAddress(), port: 9000 };
    this.contact = { id: id ?? sim.random.bytes(32), publicKey, endpoint };
    this.#transport = sim.network.attach(this.contact, { isServer: () => true });
    this.#transport.serve((from, request) => lie({ from, request, honestly: nothing }));
  }

  /** Asks a node something, and so offers itself to its table. Never rejects. */
  async greet({ contact }: SimNode): Promise<void> {
    await this.#transport.call(contact, { method: 'ping' }).catch(() => undefined);
  }
}

/** Octets that an attacker spent on lies. */
export interface Expense {
  bytes: number;
}

function nothing(): undefined {
  return undefined;
}

/** An honest node changes sides: it keeps its table and place, and lies from now on. */
export function corrupt(node: SimNode, lie: Lie, expense: Expense = { bytes: 0 }): void {
  node.transport.serve((from, request) => {
    const honestly = (): Answer => node.dht.handle(from, request);
    const answer = lie({ from, request, honestly });
    if (answer && !(answer instanceof Promise)) expense.bytes += replyBytes(answer);
    return answer;
  });
}

const perReply = 20;

/** Says nothing. */
export function silence(): Lie {
  return () => undefined;
}

/** Names nobody but accomplices, holds nothing, and takes every record with thanks. */
export function collusion(accomplices: readonly Contact[]): Lie {
  const nearest = nearestOf(accomplices);
  return ({ request, honestly }) => {
    switch (request.method) {
      case 'find':
        return { method: 'find', contacts: nearest(request.target) };
      case 'get':
        return nothingUnder(nearest(request.key));
      case 'store':
        return acceptance;
      case 'ping':
      case 'sync':
      case 'announce':
      case 'reach':
      case 'leave':
      default:
        return pong(request) ?? honestly();
    }
  };
}

/** Names one address as that of `names` nodes around whatever is looked for. */
export function injection(victim: Bytes, random: SeededRandom, names: number = perReply): Lie {
  const madeUp = (target: Bytes): Contact => ({
    id: randomIdSharing(target, 40, random),
    publicKey: random.bytes(32),
    endpoint: { ip: victim, port: 1024 + random.below(60_000) },
  });
  const crowd = (target: Bytes): Contact[] => Array.from({ length: names }, () => madeUp(target));
  return ({ request, honestly }) => {
    if (request.method === 'find') return { method: 'find', contacts: crowd(request.target) };
    if (request.method === 'get') return nothingUnder(crowd(request.key));
    return honestly();
  };
}

/** Shows these records under their keys, whatever newer ones there are; else is honest. */
export function stale(records: readonly SignedRecord[]): Lie {
  return ({ request, honestly }) => {
    if (request.method !== 'get') return honestly();
    const old = records.filter(({ key }) => equalBytes(key, request.key));
    if (old.length === 0) return honestly();
    const provisional = old.map(() => false);
    return { ...nothingUnder([]), records: old.map(({ bytes }) => bytes), provisional };
  };
}

const acceptance: Reply = {
  method: 'store',
  status: storeStatuses.OK,
  conflicting: undefined,
  detail: undefined,
};

function nothingUnder(contacts: readonly Contact[]): Extract<Reply, { method: 'get' }> {
  const none = { records: [], provisional: [], digests: [], next: undefined };
  return { method: 'get', ...none, contacts };
}

function pong({ method }: Request): Reply | undefined {
  return method === 'ping' ? { method, contactRecord: undefined } : undefined;
}

/** Remembers its last result: one search asks everybody for the same. */
function nearestOf(contacts: readonly Contact[]): (target: Bytes) => readonly Contact[] {
  let last: Bytes | undefined;
  let found: readonly Contact[] = [];
  return (target) => {
    if (last !== target) {
      last = target;
      found = contacts.toSorted((a, b) => compareDistance(target, a.id, b.id)).slice(0, perReply);
    }
    return found;
  };
}
