/**
 * Routing tables as they are after a while, without the traffic that it takes: in each part of the
 * ID space that a node keeps a bucket for, it knows up to k of those who are there, by lot. What a
 * table takes is still the table's own decision.
 */
import { RoutingTables } from '../src/dht/table/tables.ts';
import { tableDefaults } from '../src/dht/table/table.ts';
import type { Contact } from '../src/identity/contact.ts';
import type { SimNetwork } from './network.ts';
import type { SimNode } from './node.ts';
import type { SeededRandom } from './random.ts';

/** What `introduceAll` needs of a simulation. */
interface Surroundings {
  readonly network: SimNetwork;
  readonly random: SeededRandom;
}

/** Lets each of `nodes` know of the others what a settled node would know. */
export function introduceAll(nodes: readonly SimNode[], surroundings: Surroundings): void {
  introduceHalves(nodes, 0, surroundings);
}

/** `nodes` share their first `bit` bits: to each half, the other one is one bucket. */
function introduceHalves(nodes: readonly SimNode[], bit: number, surroundings: Surroundings): void {
  if (nodes.length < 2) return;
  const isSet = ({ contact: { id } }: SimNode): boolean =>
    ((id[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0;
  const ones = nodes.filter(isSet);
  const zeros = nodes.filter((node) => !isSet(node));
  for (const [half, other] of [
    [ones, zeros],
    [zeros, ones],
  ] as const) {
    for (const node of half) {
      for (const { contact } of drawn(other, tableDefaults.k, surroundings.random)) {
        introduce(node, contact, surroundings.network);
      }
    }
    introduceHalves(half, bit + 1, surroundings);
  }
}

/** As if `contact` had answered `node` just now. */
export function introduce(node: SimNode, contact: Contact, network: SimNetwork): void {
  const [from, to] = [network.hostOf(node.contact), network.hostOf(contact)];
  if (!from || !to) throw new Error('who is introduced must be there');
  const nowMs = node.world.clock.monotonicMs();
  tablesOf(node).confirm(contact, { nowMs, rttMs: network.rttMs(from, to) });
}

/** As if `node` had found that `contact` is gone. */
export function forget(node: SimNode, contact: Contact): void {
  tablesOf(node).remove(contact);
}

/** Others see a node's tables without being able to change them; an observer can. */
function tablesOf({ dht: { table } }: SimNode): RoutingTables {
  if (table instanceof RoutingTables) return table;
  throw new Error('nodes keep their tables otherwise by now');
}

function drawn<T>(items: readonly T[], count: number, random: SeededRandom): readonly T[] {
  if (items.length <= count) return items;
  const at = new Set<number>(); // BOUNDED by count
  while (at.size < count) at.add(random.below(items.length));
  return [...at].map((i) => items[i]).filter((item) => item !== undefined);
}
