/** Half of a network is killed at one moment, publishers first: everything must still be found. */
import { Fleet } from './fleet.ts';
import type { Bench, Scenario, Size } from './scenario.ts';

async function run(bench: Bench, { nodes: count }: Size): Promise<void> {
  await using fleet = new Fleet(bench);
  await fleet.start(count);
  await killHalf(fleet);
}

/** Those that published are all among the dead: only copies elsewhere can help. */
export async function killHalf(fleet: Fleet): Promise<void> {
  const { tally } = fleet.bench;
  const half = fleet.alive.slice(0, Math.floor(fleet.alive.length / 2));
  for (const node of half) await fleet.publishFrom(node);
  await Promise.all(half.map((node) => node.kill()));
  tally.fault('node killed', half.length);
  tally.recovered(await fleet.expectAll(fleet.alive, 'after half of the nodes was killed'));
}

export const halves: Scenario = {
  name: 'halves',
  title: 'half of the nodes killed at once, among them everyone who published',
  run,
};
