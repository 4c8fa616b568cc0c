/**
 * Sybils around a key. In earnest their IDs are ground, at the price of N keys for each; here they
 * are made up, as nothing in the network depends on the keys behind them.
 */
import type { Bytes } from '../../src/base/bytes.ts';
import { randomIdSharing, sharedBits } from '../../src/dht/distance.ts';
import type { Contact } from '../../src/identity/contact.ts';
import { collusion, HostileNode } from '../hostile.ts';
import type { SimNode } from '../node.ts';
import type { Simulation } from '../simulation.ts';
import { forget, introduce } from '../warm.ts';

export interface SiegeSize {
  readonly sybils: number;
  /** Networks (/24) that they share evenly, each in a /16 of its own. */
  readonly networks: number;
}

export interface Siege {
  readonly sybils: readonly Contact[];
  /** They are gone, and forgotten by all around and by `users`, who may have asked them. */
  end(users: readonly SimNode[]): void;
}

/** Farther nodes have their tables full of others, of whom there are more. */
const toldMax = 100;

/**
 * Surrounds `key` with colluding sybils, each nearer to it than any other node. All around have
 * heard of them, and keep those that they have room for.
 */
export function besiege(
  sim: Simulation,
  key: Bytes,
  { sybils: count, networks }: SiegeSize,
): Siege {
  const { network, random } = sim;
  const around = sim.closest(key, toldMax);
  const bits = Math.max(0, ...around.map(({ contact }) => sharedBits(contact.id, key)));
  const sybils: Contact[] = [];
  const lie = collusion(sybils);
  for (let i = 0; i < count; i++) {
    const id = randomIdSharing(key, bits + 1, random);
    const ip = Uint8Array.of(150, i % networks, 0, 1 + Math.floor(i / networks));
    sybils.push(new HostileNode(sim, { id, ip, lie }).contact);
  }
  for (const sybil of sybils) for (const node of around) introduce(node, sybil, network);
  return {
    sybils,
    end(users) {
      for (const sybil of sybils) {
        network.detach(sybil);
        for (const node of [...around, ...users]) forget(node, sybil);
      }
    },
  };
}
