/**
 * Wall clocks jump by a day, there and back, while nodes run and across restarts: first that of one
 * node, then those of all. Nothing may get lost, and nobody may flood the others with what it thinks
 * is overdue.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { forEachOf } from '../../src/base/parallel.ts';
import { type ClockFile, clockFile } from '../support/clock-jump.ts';
import { Fleet, type Place } from './fleet.ts';
import type { RunningNode } from './running.ts';
import { type Bench, folderIn, type Scenario, type Size } from './scenario.ts';

export const dayMs = 86_400_000;
const thereAndBack: readonly number[] = [dayMs, 0, -dayMs, 0];
const publishers = 3;
/** Nodes that keep a record, at most: as many as are near to its key. */
const storersMax = 20;
/** All may be brought out anew for a jump, and once more by those whose turn came in that minute. */
const roundsMax = 3;

export type SetClock = (node: RunningNode, offsetMs: number) => void;

/** Nodes whose clocks can be set. They end with the fleet. */
export function fleetWithClocks(bench: Bench): { fleet: Fleet; set: SetClock } {
  const clocksOf = new Map<string, ClockFile>(); // BOUNDED by the nodes
  const placeOf = (name: string): Place => {
    const clock = clockFile(folderIn(bench, 'clocks', name));
    clocksOf.set(name, clock);
    return { env: clock.env };
  };
  const set: SetClock = (node, offsetMs) => {
    clocksOf.get(node.plan.name)?.set(offsetMs);
    bench.tally.fault('clock moved by a day');
  };
  return { fleet: new Fleet(bench, { placeOf }), set };
}

async function run(bench: Bench, { nodes, watchMs }: Size): Promise<void> {
  const { fleet, set } = fleetWithClocks(bench);
  await using stack = new AsyncDisposableStack();
  stack.use(fleet);
  await fleet.start(nodes);
  for (const node of fleet.alive.slice(1, 1 + publishers)) await fleet.publishFrom(node);
  await jumpOne(fleet, set);
  await jumpAll(fleet, set, { watchMs });
  await jumpRestarting(fleet, set);
}

/** A publisher is in another time than the others, who must not be disturbed by that. */
async function jumpOne(fleet: Fleet, set: SetClock): Promise<void> {
  const { tally } = fleet.bench;
  const odd = fleet.at(1);
  const others = fleet.alive.filter((node) => node !== odd);
  for (const offsetMs of [dayMs, -dayMs, 0]) {
    const where = `one clock ${offsetMs / dayMs} days away`;
    set(odd, offsetMs);
    tally.recovered(await fleet.expectAll(others, where));
  }
  tally.recovered(await fleet.expectAll([odd], 'when its clock was right again'));
}

export async function jumpAll(
  fleet: Fleet,
  set: SetClock,
  { watchMs, offsetsMs = thereAndBack }: { watchMs: number; offsetsMs?: readonly number[] },
): Promise<void> {
  const { tally, say } = fleet.bench;
  for (const offsetMs of offsetsMs) {
    const where = `all clocks ${offsetMs / dayMs} days away`;
    const before = await storesOf(fleet);
    for (const node of fleet.nodes) set(node, offsetMs);
    await delay(watchMs);
    requireCalm(fleet, { stores: (await storesOf(fleet)) - before, where });
    tally.recovered(await fleet.expectAll(fleet.alive, where));
    say(`clocks: ${where}`);
  }
}

/** Nodes that were away for a day, or wake up in the past. */
export async function jumpRestarting(
  fleet: Fleet,
  set: SetClock,
  offsetsMs: readonly number[] = thereAndBack,
): Promise<void> {
  const { tally, say } = fleet.bench;
  for (const offsetMs of offsetsMs) {
    const nodes = [...fleet.nodes];
    await forEachOf(nodes, 4, async (node) => void (await node.stop()));
    for (const node of nodes) set(node, offsetMs);
    await forEachOf(nodes, 4, async (node) => void (await fleet.restart(node)));
    tally.fault('node restarted in another time', nodes.length);
    const where = `restarted ${offsetMs / dayMs} days away`;
    tally.recovered(await fleet.expectAll(fleet.alive, where));
    say(`clocks: ${where}`);
  }
}

/** How often all nodes have asked others to store a record, or handed records over. */
async function storesOf(fleet: Fleet): Promise<number> {
  const counts = await Promise.all(
    fleet.alive.map(async (node) => {
      const { packets } = await (await node.services()).dht();
      return (packets['call.store'] ?? 0) + (packets['call.sync'] ?? 0);
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

/** What it takes to bring out everything once: names and links, and that each node has each site. */
function requestsPerRound({ things, alive }: Fleet): number {
  const sites = things.filter(({ kind }) => kind === 'site').length;
  const records = things.length - sites + sites * alive.length;
  return records * Math.min(storersMax, alive.length - 1);
}

function requireCalm(
  fleet: Fleet,
  { stores, where }: { readonly stores: number; readonly where: string },
): void {
  const { tally } = fleet.bench;
  const rounds = stores / requestsPerRound(fleet);
  const seen = `${stores} requests to store, ${rounds.toFixed(1)} times what everything takes once`;
  tally.note(`With ${where}: ${seen}`);
  if (rounds > roundsMax) tally.found({ kind: 'failure', what: seen, where });
}

export const clocks: Scenario = {
  name: 'clocks',
  title: 'wall clocks a day ahead and a day behind: of one node, of all, running, across restarts',
  run,
};
