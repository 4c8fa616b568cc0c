/** Lookups where attackers stand around the key or on the way to it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualWorld } from '../../test/support/manual-world.ts';
import { nearestOf, runLookup, staticContact, staticNodes } from '../../test/support/static-net.ts';
import type { Bytes } from '../base/bytes.ts';
import type { Contact } from '../identity/contact.ts';
import { Candidates } from './lookup/candidates.ts';
import { distanceShare } from './distance.ts';
import { Lookup, type LookupGoal } from './lookup/lookup.ts';
import { regionPoints, Regions } from './lookup/regions.ts';
import { sigmaSize } from './lookup/sigma.ts';

const networkSize = 2000;
const honest = staticNodes(networkSize);
const self = new Uint8Array(8);
const sigma = sigmaSize(networkSize, 20);

/** Nodes nearer to `key` than any honest one, each in a network of its own. */
function crowdAt(key: Bytes, count: number): Contact[] {
  const { random } = manualWorld(3);
  return Array.from({ length: count }, (_, i) => {
    const id = random.bytes(8);
    id.set(key.subarray(0, 3));
    return staticContact(id, networkSize + i);
  });
}

function seedsFor(n: number): Contact[] {
  return Array.from({ length: 20 }, (_, i) => honest[(n * 37 + i * 91) % networkSize]).filter(
    (contact) => contact !== undefined,
  );
}

/** How many honest nodes of the storage set a lookup finds of those that there are. */
function foundAround(key: Bytes, crowd: readonly Contact[], goal: Partial<LookupGoal>): number[] {
  const everybody = [...honest, ...crowd];
  const lookup = new Lookup({ target: key, self, seeds: seedsFor(1) }, { sigma, ...goal });
  const { result } = runLookup(lookup, key, (by, target) =>
    nearestOf(crowd.includes(by) ? crowd : everybody, target, 20),
  );
  const there = honest.filter(({ id }) => distanceShare(id, key) <= sigma.radius);
  return [there.filter((contact) => result.closest.includes(contact)).length, there.length];
}

const keys = staticNodes(10, 5).map(({ id }) => id);

test('a crowd of 20 around a key hides the others from a short lookup, not from a whole one', () => {
  let found = 0;
  let expected = 0;
  for (const key of keys) {
    const crowd = crowdAt(key, 20);
    const [near] = foundAround(key, crowd, {});
    assert.equal(near, 0, 'the 20 nearest are all of the crowd');
    const [whole = 0, there = 1] = foundAround(key, crowd, { reach: 'whole' });
    assert.ok(whole >= there * 0.75, `${whole} of ${there}`);
    found += whole;
    expected += there;
  }
  assert.ok(found >= expected * 0.85, `${found} of ${expected}`);
});

test('where nobody crowds the key, the region is looked at rarely', () => {
  let probed = 0;
  for (const { id: key } of staticNodes(40, 7)) {
    const lookup = new Lookup({ target: key, self, seeds: seedsFor(2) }, { sigma, reach: 'whole' });
    const { result, probes } = runLookup(lookup, key, (_, target) => nearestOf(honest, target, 20));
    if (probes > 0) probed++;
    assert.ok(probes <= 48);
    assert.ok(result.closest.length >= 20 && result.closest.length <= 60);
  }
  assert.ok(probed > 0 && probed < 20, `${probed} of 40`);
});

test('two paths pass 30 % of liars, who name only each other', () => {
  const { random } = manualWorld(11);
  const liars = new Set(honest.filter(() => random.fraction() < 0.3));
  const lying = [...liars];
  let reached = 0;
  const tries = staticNodes(100, 13);
  for (const [n, { id: key }] of tries.entries()) {
    const goal = { sigma, reach: 'whole', paths: 2 } as const;
    const lookup = new Lookup({ target: key, self, seeds: seedsFor(n) }, goal);
    const { result } = runLookup(lookup, key, (by, target) =>
      nearestOf(liars.has(by) ? lying : honest, target, 20),
    );
    const storers = nearestOf(honest, key, 20).filter((contact) => !liars.has(contact));
    if (storers.some((contact) => result.closest.includes(contact))) reached++;
  }
  assert.ok(reached >= 99, `${reached} of 100`);
});

test('a short lookup that finds nothing goes on through the whole set, once', () => {
  const [key] = keys;
  assert.ok(key);
  let asked = 0;
  const goesOn = (): boolean => ++asked === 1;
  const lookup = new Lookup({ target: key, self, seeds: seedsFor(3) }, { sigma, width: 8, goesOn });
  const { result } = runLookup(lookup, key, (_, target) => nearestOf(honest, target, 20));
  assert.equal(asked, 1);
  assert.equal(lookup.reach, 'whole');
  assert.ok(result.closest.length >= 20);
});

test('who invents contacts nearer than an honest node, in its network, does not hide it', () => {
  const [key] = keys;
  assert.ok(key);
  const [victim] = nearestOf(honest, key, 1);
  assert.ok(victim);
  const { ip } = victim.endpoint;
  const invented = crowdAt(key, 15).map((contact, i): Contact => ({
    ...contact,
    endpoint: { ip: Uint8Array.of(...ip.subarray(0, 3), 100 + i), port: 9000 },
  }));
  const lookup = new Lookup({ target: key, self, seeds: seedsFor(4) }, { sigma });
  const { result } = runLookup(lookup, key, (by, target) =>
    invented.includes(by)
      ? undefined
      : [...invented, ...nearestOf(honest, target, 20)].slice(0, 30),
  );
  assert.ok(result.closest.includes(victim));
});

test('a wrong address that was named first does not hide a node', () => {
  const [key] = keys;
  assert.ok(key);
  const near = nearestOf(honest, key, 20);
  const wrong = near.map((contact, i): Contact => ({
    ...contact,
    endpoint: { ip: Uint8Array.of(99, i, 0, 1), port: 9000 },
  }));
  const lookup = new Lookup({ target: key, self, seeds: wrong }, { sigma });
  const { result } = runLookup(lookup, key, (by, target) =>
    wrong.includes(by) ? undefined : nearestOf(honest, target, 20),
  );
  assert.deepEqual(result.closest, [], 'nobody else was named');
  const warned = new Lookup({ target: key, self, seeds: [...wrong, ...near] }, { sigma });
  const second = runLookup(warned, key, (by, target) =>
    wrong.includes(by) ? undefined : nearestOf(honest, target, 20),
  );
  assert.deepEqual(second.result.closest, near);
});

test('the points beside a key halve their distance towards it', () => {
  const key = Uint8Array.of(0, 0);
  assert.deepEqual(
    regionPoints(key, 1 / 8).map((point) => distanceShare(point, key)),
    [1 / 16, 1 / 32, 1 / 64, 1 / 128],
  );
  assert.equal(regionPoints(Uint8Array.of(0), 1 / 64).length, 2, 'no farther than IDs have bits');
});

test('a region is looked at where it is too dense, and only beyond those who are known', () => {
  const key = new Uint8Array(8);
  const size = { least: 20, most: 60, radius: 1 / 64 };
  const known = new Candidates({ target: key, self: key.with(0, 1) });
  known.learn(honest, 0);
  const pointsAt = (kthShare: number, limit: number): number => {
    const regions = new Regions(key, size, limit);
    regions.begin(kthShare);
    return new Set(regions.next(known.nearestFirst).map(({ point }) => point)).size;
  };
  assert.equal(pointsAt(0.9 / 64, 1.25), 0, 'about as dense as expected');
  assert.equal(pointsAt(0.9 / 64, 1), 1, 'the outer half is left');
  assert.equal(pointsAt(0.3 / 64, 1.25), 2);
  assert.equal(pointsAt(1e-6, 1.25), 4);
});
