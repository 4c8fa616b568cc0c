/**
 * A network of hosts is cut into two halves that go on by themselves, and is joined again. Hosts are
 * network namespaces on a bridge, so it takes Linux and root.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Hosts, namespacesMissing } from '../support/namespaces.ts';
import { Fleet } from './fleet.ts';
import type { Bench, Scenario, Size } from './scenario.ts';

/** Long enough that each half takes the other for dead. */
const cutMs = 20_000;
const nodesMax = 8;
/** Each of its own network: nodes limit what they trust to one. */
const addressOf = (number: number): string => `45.${70 + number}.0.1`;

async function run(bench: Bench, { nodes }: Size): Promise<void> {
  const why = namespacesMissing();
  if (why !== false) return bench.tally.skip(why);
  await using stack = new AsyncDisposableStack();
  const hosts = new Hosts({ after: (undo) => stack.defer(undo) });
  const names = Array.from({ length: Math.min(nodes, nodesMax) }, (_, i) => addressOf(i + 1)).map(
    (address) => ({ host: hosts.public(address), listen: `${address}:9000` }),
  );
  const fleet = stack.use(
    new Fleet(bench, {
      options: ['--public'],
      placeOf: (name) => names[Number(name.replace('node-', '')) - 1] ?? {},
    }),
  );
  await fleet.start(names.length);
  await cutInTwo(fleet, hosts);
}

async function cutInTwo(fleet: Fleet, hosts: Hosts): Promise<void> {
  const { tally } = fleet.bench;
  const half = fleet.nodes.filter((_, i) => i % 2 === 1);
  const rest = fleet.nodes.filter((_, i) => i % 2 === 0);
  await fleet.publishFrom(fleet.at(0));
  await fleet.publishFrom(fleet.at(1));
  hosts.separate(half.flatMap(({ plan }) => plan.host ?? []));
  tally.fault('network cut in two');
  await delay(cutMs);
  // Each half goes on: what it publishes now, the other has never heard of.
  await fleet.publishFrom(fleet.at(2));
  await fleet.publishFrom(fleet.at(3));
  hosts.reunite();
  tally.fault('network joined again');
  tally.recovered(await fleet.expectAll([...rest, ...half], 'after the two halves were joined'));
}

export const cut: Scenario = {
  name: 'cut',
  title: 'a network cut into two halves that publish by themselves, and joined again',
  run,
};
