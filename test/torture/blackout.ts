/** All nodes are killed at one moment and started again on their folders and ports. */
import { Fleet } from './fleet.ts';
import type { Bench, Scenario, Size } from './scenario.ts';

async function run(bench: Bench, { nodes }: Size): Promise<void> {
  await using fleet = new Fleet(bench);
  await fleet.start(nodes);
  for (const node of fleet.alive.slice(0, 4)) await fleet.publishFrom(node);
  await blackout(fleet);
}

export async function blackout(fleet: Fleet): Promise<void> {
  const { tally } = fleet.bench;
  const nodes = fleet.alive;
  await Promise.all(nodes.map((node) => node.kill()));
  tally.fault('node killed', nodes.length);
  const begun = performance.now();
  const again = await Promise.all(nodes.map((node) => fleet.restart(node)));
  const startedMs = performance.now() - begun;
  tally.recovered(startedMs + (await fleet.expectAll(again, 'after all nodes were killed')));
}

export const blackouts: Scenario = {
  name: 'blackout',
  title: 'all nodes killed at once and started again',
  run,
};
