/**
 * The node at which all others joined dies for good. The others are started again, told of nobody
 * but the dead one, and must find each other; new nodes join at another address.
 */
import { Fleet } from './fleet.ts';
import type { Bench, Scenario, Size } from './scenario.ts';

async function run(bench: Bench, { nodes }: Size): Promise<void> {
  await using fleet = new Fleet(bench);
  await fleet.start(nodes);
  for (const node of fleet.alive.slice(1, 4)) await fleet.publishFrom(node);
  await loseFirst(fleet);
}

export async function loseFirst(fleet: Fleet): Promise<void> {
  const { tally } = fleet.bench;
  await fleet.first.kill();
  tally.fault('bootstrap node killed for good');
  const others = fleet.alive;
  await Promise.all(others.map((node) => node.stop()));
  tally.fault('node restarted', others.length);
  const begun = performance.now();
  const again = await Promise.all(others.map((node) => fleet.restart(node)));
  const startedMs = performance.now() - begun;
  tally.recovered(startedMs + (await fleet.expectAll(again, 'after the first node was lost')));
  const address = (await again[1]?.ready())?.listen;
  const added = await fleet.add(2, address);
  await fleet.expectAll(added, 'on nodes that came after the first was lost');
}

export const orphans: Scenario = {
  name: 'orphans',
  title: 'the bootstrap node killed for good, the others restarted, two new ones',
  run,
};
