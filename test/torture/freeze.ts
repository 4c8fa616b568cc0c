/**
 * Half of a network stands still for a while, as a machine asleep or behind a cable that was
 * pulled; what is published meanwhile must be found by everybody afterwards.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Fleet } from './fleet.ts';
import type { RunningNode } from './running.ts';
import type { Bench, Scenario, Size } from './scenario.ts';

/** Longer than a question to a silent node takes to be given up. */
const frozenMs = 8000;

async function run(bench: Bench, { nodes }: Size): Promise<void> {
  await using fleet = new Fleet(bench);
  await fleet.start(nodes);
  await freezeHalf(fleet);
}

export async function freezeHalf(
  fleet: Fleet,
  { forMs = frozenMs, publishers = 2 }: { forMs?: number; publishers?: number } = {},
): Promise<void> {
  const { tally } = fleet.bench;
  const nodes = fleet.alive;
  const [half, rest] = [nodes.filter((_, i) => i % 2 === 1), nodes.filter((_, i) => i % 2 === 0)];
  const publish = async (list: readonly RunningNode[]): Promise<void> => {
    for (const node of list.slice(0, publishers)) await fleet.publishFrom(node);
  };
  await publish(half);
  await publish(rest);
  for (const node of half) node.send('SIGSTOP');
  tally.fault('node stopped for a while', half.length);
  await Promise.all([delay(forMs), publish(rest)]);
  for (const node of half) node.send('SIGCONT');
  tally.recovered(await fleet.expectAll(nodes, 'after half of the nodes stood still'));
}

export const freeze: Scenario = {
  name: 'freeze',
  title: 'half of the nodes stopped for 8 s and continued',
  run,
};
