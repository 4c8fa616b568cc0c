/**
 * Threat "key eclipse" (docs/spec/threats.md): sybils nearer to a key than every honest node, two
 * per /24 and four per /16 counted. The shares are those that storage sets were designed for.
 */
import assert from 'node:assert/strict';
import { testsOf } from '../own-thread.ts';
import type { GatherEnd } from '../../src/dht/reading/gather.ts';
import type { SignedRecord } from '../../src/record/envelope.ts';
import type { SimNode } from '../node.ts';
import { sampleOf } from '../samples.ts';
import { simulate } from '../simulate.ts';
import type { Simulation } from '../simulation.ts';
import { leastOf, resting, surveyors } from './settled.ts';
import { besiege, type SiegeSize } from './siege.ts';

const test = testsOf(import.meta.url);

const nodes = 2000;
const tries = 25;

interface Row extends SiegeSize {
  /** Of a hundred records, how many are found … */
  readonly found: number;
  /** … and how many storage sets have an honest majority. */
  readonly majority: number;
}

const rows: readonly Row[] = [
  { sybils: 0, networks: 1, found: 100, majority: 100 },
  { sybils: 9, networks: 9, found: 100, majority: 100 },
  { sybils: 12, networks: 12, found: 100, majority: 90 },
  { sybils: 20, networks: 4, found: 100, majority: 100 },
  { sybils: 20, networks: 20, found: 100, majority: 37 },
  { sybils: 40, networks: 40, found: 97, majority: 0 },
];

interface Users {
  readonly writers: readonly SimNode[];
  readonly readers: readonly SimNode[];
}

interface Outcome {
  readonly found: boolean;
  readonly majority: boolean;
  /** Whether the 20 nearest alone would have held nobody but sybils. */
  readonly lostNearby: boolean;
}

let published = 0;

/** One key is surrounded, then published under, then read. */
async function tryOnce(sim: Simulation, size: SiegeSize, users: Users): Promise<Outcome> {
  const { world } = sim;
  const n = published++;
  const writer = users.writers[n % users.writers.length];
  const reader = users.readers[n % users.readers.length];
  assert.ok(writer && reader);
  const record = sampleOf('link', { node: writer, label: `item-${n}` });
  const siege = besiege(sim, record.key, size);
  await world.until(writer.dht.store(record));
  await world.pass(5000); // looks at regions go on after the result
  // By somebody else: what the reader knows of the network is not to change.
  const other = sim.one();
  const nearest = await world.until(other.dht.lookup(record.key));
  const { end, holders } = await world.until(read(reader, record));
  siege.end([writer, reader, other]);
  return {
    found: holders > 0,
    majority: 2 * holders > end.closest.length,
    lostNearby: nearest.closest.every((contact) => siege.sybils.includes(contact)),
  };
}

async function read(
  reader: SimNode,
  { key }: SignedRecord,
): Promise<{ readonly end: GatherEnd; readonly holders: number }> {
  const answers = reader.dht.gather(key, { reach: 'whole', paths: 2 });
  const holders = new Set<unknown>(); // BOUNDED by one search
  for (;;) {
    const step = await answers.next();
    if (step.done === true) {
      const voters = step.value.closest.filter((contact) => holders.has(contact));
      return { end: step.value, holders: voters.length };
    }
    if (step.value.records.length > 0) holders.add(step.value.from);
  }
}

test('a surrounded key is found, and judged by a majority, as storage sets promise', async (t) => {
  await simulate(t, { nodes, warm: true, dht: resting }, async (sim) => {
    const writers = await surveyors(sim, { count: 10, lookups: 32 });
    const readers = await surveyors(sim, { count: 10, lookups: 32 });
    for (const { sybils, networks, found, majority } of rows) {
      const outcomes: Outcome[] = [];
      for (let i = 0; i < tries; i++) {
        outcomes.push(await tryOnce(sim, { sybils, networks }, { writers, readers }));
      }
      const count = (what: keyof Outcome): number => outcomes.filter((one) => one[what]).length;
      const says = `${sybils} sybils in ${networks} networks`;
      t.diagnostic(`${says}: found ${count('found')}, majority ${count('majority')} of ${tries}`);
      assert.ok(count('found') >= leastOf(tries, found), `${says}: found ${count('found')}`);
      assert.ok(count('majority') >= leastOf(tries, majority), `${says}: ${count('majority')}`);
      if (networks >= 20) assert.ok(count('lostNearby') > 0.9 * tries, 'the siege is a real one');
    }
  });
});
