/**
 * Threat "routing capture" (docs/spec/threats.md): a share of all nodes colludes, answers every
 * search with more of them, and keeps nothing. Tables are not poisoned: colluders stand in them by
 * their share.
 */
import assert from 'node:assert/strict';
import { testsOf } from '../own-thread.ts';
import { type Bytes, toHex } from '../../src/base/bytes.ts';
import type { Paths } from '../../src/dht/lookup/lookup.ts';
import { collusion, corrupt } from '../hostile.ts';
import type { SimNode } from '../node.ts';
import { sampleOf } from '../samples.ts';
import { simulate } from '../simulate.ts';
import type { Simulation } from '../simulation.ts';
import { leastOf, resting, surveyors } from './settled.ts';

const test = testsOf(import.meta.url);

const nodes = 2000;
const tries = 100;

interface Row {
  /** Of all nodes. */
  readonly colluding: number;
  readonly paths: Paths;
  /** Of a hundred searches, how many reach an honest storer. */
  readonly reached: number;
}

const rows: readonly Row[] = [
  { colluding: 0.2, paths: 1, reached: 99.7 },
  { colluding: 0.2, paths: 2, reached: 100 },
  { colluding: 0.3, paths: 1, reached: 98 },
  { colluding: 0.3, paths: 2, reached: 100 },
];

/** Whether a search gets an answer of one of the 20 nearest nodes that is honest. */
async function reaches(
  reader: SimNode,
  { key, paths, storers }: { key: Bytes; paths: Paths; storers: readonly SimNode[] },
): Promise<boolean> {
  const ids = new Set(storers.map(({ contact }) => toHex(contact.id)));
  for await (const { from } of reader.dht.gather(key, { reach: 'whole', paths })) {
    if (from !== 'self' && ids.has(toHex(from.id))) return true;
  }
  return false;
}

/** More and more of the same nodes collude, and those who search are never among them. */
function seduce(sim: Simulation, share: number, users: readonly SimNode[]): ReadonlySet<SimNode> {
  const others = sim.nodes.filter((node) => !users.includes(node));
  const colluders = others.slice(0, Math.round(nodes * share));
  const lie = collusion(colluders.map(({ contact }) => contact));
  for (const node of colluders) corrupt(node, lie);
  return new Set(colluders);
}

/** Of the honest ones among the 20 nearest, to whom a record should go, the share that gets it. */
async function publish(
  sim: Simulation,
  { writer, n }: { writer: SimNode; n: number },
  colluders: ReadonlySet<SimNode>,
): Promise<{ readonly held: number; readonly due: number }> {
  const record = sampleOf('link', { node: writer, label: `item-${n}` });
  await sim.world.until(writer.publisher.publish(record));
  await sim.world.pass(5000); // looks at regions go on after the result
  const due = sim.closest(record.key, 20).filter((node) => !colluders.has(node));
  const held = due.filter(({ records }) => records.list(record.key).length > 0);
  return { held: held.length, due: due.length };
}

test('searches and records reach honest nodes where up to three of ten collude', async (t) => {
  await simulate(t, { nodes, warm: true, dht: resting }, async (sim) => {
    const users = await surveyors(sim, { count: 10, lookups: 16 });
    const userOf = (n: number): SimNode => users[n % users.length] ?? sim.one();
    let colluders: ReadonlySet<SimNode> = new Set();
    for (const { colluding, paths, reached } of rows) {
      colluders = seduce(sim, colluding, users);
      let count = 0;
      for (let n = 0; n < tries; n++) {
        const key = sim.random.bytes(32);
        const storers = sim.closest(key, 20).filter((node) => !colluders.has(node));
        if (await sim.world.until(reaches(userOf(n), { key, paths, storers }))) count++;
      }
      t.diagnostic(`${colluding} collude, ${paths} paths: ${count} of ${tries} reach a storer`);
      const least = paths === 2 ? 0.99 * tries : leastOf(tries, reached);
      assert.ok(count >= least, `${colluding}, ${paths} paths: ${count}`);
    }
    let [held, due] = [0, 0];
    for (let n = 0; n < tries / 2; n++) {
      const one = await publish(sim, { writer: userOf(n), n }, colluders);
      assert.ok(one.held > 0, 'no record goes to colluders alone');
      [held, due] = [held + one.held, due + one.due];
    }
    t.diagnostic(`published records got to ${held} of ${due} honest storers`);
    assert.ok(held >= 0.95 * due, `${held} of ${due}`);
  });
});
