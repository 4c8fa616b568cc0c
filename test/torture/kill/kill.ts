/** Nodes at work are killed at random moments and started again on the same folder. */
import type { Bench, Scenario, Size } from '../scenario.ts';
import { type KillKind, killKinds, Lane } from './lane.ts';
import { Spans } from './moment.ts';
import { startSteady } from './others.ts';

/** Room for some of the sites that others have, and not for all: something must always go. */
const otherSites = 14;
const budgetBytes = 16 * 2 ** 20;

async function run(bench: Bench, { kills, lanes: laneCount }: Size): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const { bootstrap, sites: others } = await startSteady(bench, stack, otherSites);
  const spans = new Spans();
  const lanes = Array.from({ length: laneCount }, (_, lane) => {
    const random = bench.random.fork();
    return new Lane(bench, { lane, random, bootstrap, others, budgetBytes, spans });
  });
  for (const lane of lanes) stack.defer(() => lane.end());
  const queue = killsOf(bench, kills);
  await Promise.all(
    lanes.map(async (lane) => {
      await lane.begin();
      while (lane.isSound && !bench.signal.aborted) {
        const kind = queue.shift();
        if (kind === undefined) return;
        await lane.round(kind);
        bench.say(`kill: ${kills - queue.length} of ${kills}, ${kind}`);
      }
    }),
  );
  if (queue.length > 0) bench.tally.note(`Not reached: ${queue.length} of ${kills} kills`);
}

/** Every kind as often as any other, in an order that is drawn. */
function killsOf({ random }: Bench, count: number): KillKind[] {
  const kinds: KillKind[] = [];
  while (kinds.length < count) {
    const left = [...killKinds];
    while (left.length > 0) kinds.push(...left.splice(random.below(left.length), 1));
  }
  return kinds.slice(0, count);
}

export const kill: Scenario = {
  name: 'kill',
  title: 'kill -9 at random moments of publishing, fetching, evicting, removing, starting, ending',
  run,
};
