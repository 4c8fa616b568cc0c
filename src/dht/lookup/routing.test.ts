/** Searches by a node that stands beside the key itself: its table is full of what is crowded. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualWorld } from '../../../test/support/manual-world.ts';
import { nearestOf, staticContact, staticNodes } from '../../../test/support/static-net.ts';
import type { Contact } from '../../identity/contact.ts';
import { Counters } from '../counters.ts';
import { distanceShare, randomIdSharing } from '../distance.ts';
import { lookupDefaults } from './lookup.ts';
import type { Answered, Request, Transport } from '../ports.ts';
import { finishQuery } from './query.ts';
import { Routing } from './routing.ts';
import { tableDefaults } from '../table/table.ts';

const networkSize = 1000;
const honest = staticNodes(networkSize);
const world = manualWorld(2);
const { signal } = new AbortController();

function never(): Promise<never> {
  return Promise.reject(new Error('not asked for here'));
}

/** Everybody answers at once with the 20 nearest of all. */
function transportTo(everybody: readonly Contact[]): Transport {
  return {
    serve: () => undefined,
    identify: never,
    knock: never,
    call: async <R extends Request>(_to: Contact, request: R): Promise<Answered<R>> => {
      const target = request.method === 'find' ? request.target : undefined;
      assert.ok(target);
      const contacts = nearestOf(everybody, target, 20);
      const reply = { method: 'find', contacts } as unknown as Answered<R>['reply'];
      const observed = { ip: Uint8Array.of(20, 0, 0, 9), port: 9000 };
      const info = { rttMs: 10, observed, unixTime: 0, server: true, networkSize: undefined };
      return { reply, info };
    },
  };
}

/** How many honest nodes of a key's storage set a node beside it finds, of how many. */
async function foundFromBeside(key: Contact['id'], crowdSize: number): Promise<[number, number]> {
  const crowd = Array.from({ length: crowdSize }, (_, i) =>
    staticContact(randomIdSharing(key, 20, world.random), networkSize + i),
  );
  const everybody = [...honest, ...crowd];
  const self = randomIdSharing(key, 8, world.random);
  const counters = new Counters();
  const deps = { self, transport: transportTo(everybody), world, counters };
  const routing = new Routing(deps, { ...tableDefaults, ...lookupDefaults });
  for (const contact of everybody) routing.table.confirm(contact, { nowMs: 0, rttMs: 10 });
  for (let i = 0; i < 16; i++) await routing.lookup(world.random.bytes(8), signal);
  const ask = routing.askForContacts(key);
  const goal = { reach: 'whole' } as const;
  const { closest } = await finishQuery(routing.walk(key, { ask, goal, signal }));
  const { radius } = routing.sigma();
  const there = honest.filter(({ id }) => distanceShare(id, key) <= radius);
  return [there.filter((contact) => closest.includes(contact)).length, there.length];
}

test('a search that starts beside a crowded key still looks past the crowd', async () => {
  let found = 0;
  let expected = 0;
  for (const { id } of staticNodes(20, 5)) {
    const [some, all] = await foundFromBeside(id, 9);
    found += some;
    expected += all;
  }
  assert.ok(found >= 0.98 * expected, `${found} of ${expected}`);
});
