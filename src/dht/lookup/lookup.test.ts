import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { checkProperty } from '../../../test/support/property.ts';
import { tinyContact, tinyIds } from '../../../test/support/tiny-contact.ts';
import type { Contact } from '../../identity/contact.ts';
import type { Patience } from './circle.ts';
import { compareDistance } from '../distance.ts';
import { Lookup, type LookupOptions, type LookupState } from './lookup.ts';
import type { Probe } from './regions.ts';

const options: LookupOptions = { k: 3, concurrency: 2, askedMax: 100 };

/** A lookup for 0x00 by node 0xff. */
function lookupFrom(...seeds: number[]): Lookup {
  const known = { target: Uint8Array.of(0), self: Uint8Array.of(0xff) };
  return new Lookup({ ...known, seeds: seeds.map(tinyContact) }, {}, options);
}

function answered(lookup: Lookup, id: number, contacts: number[] = [], server = true): LookupState {
  const event = { contacts: contacts.map(tinyContact), server };
  return lookup.advance({ type: 'answered', contact: tinyContact(id), ...event });
}

function told(lookup: Lookup, type: 'failed' | 'slow' | 'overdue', id: number): LookupState {
  return lookup.advance({ type, contact: tinyContact(id) });
}

/** "ask a,b" or "done a,b (answered/asked)". */
function line(state: LookupState): string {
  if (state.type === 'running') return `ask ${tinyIds(state.ask).join()}`;
  return `done ${tinyIds(state.closest).join()} (${state.answered}/${state.asked})`;
}

test('nobody to ask: finished at once', () => {
  assert.equal(line(lookupFrom().advance({ type: 'start' })), 'done  (0/0)');
});

test('the nearest are asked first, α at a time, until the k nearest have answered', () => {
  const lookup = lookupFrom(9, 5, 7);
  assert.equal(line(lookup.advance({ type: 'start' })), 'ask 5,7');
  assert.equal(line(answered(lookup, 7, [1, 2, 40])), 'ask 1');
  assert.equal(line(answered(lookup, 5)), 'ask 2');
  assert.equal(line(answered(lookup, 1, [5, 7, 0xff])), 'ask ');
  assert.equal(line(answered(lookup, 2)), 'done 1,2,5 (4/4)');
});

test('who fails makes room for the next nearest', () => {
  const lookup = lookupFrom(1, 2, 3, 4);
  assert.equal(line(lookup.advance({ type: 'start' })), 'ask 1,2');
  assert.equal(line(told(lookup, 'failed', 1)), 'ask 3');
  assert.equal(line(answered(lookup, 2)), 'ask 4');
  assert.equal(line(told(lookup, 'failed', 4)), 'ask ');
  assert.equal(line(answered(lookup, 3)), 'done 2,3 (2/4)');
});

test('a slow node no longer holds a place, but its answer is waited for', () => {
  const lookup = lookupFrom(1, 2, 3);
  lookup.advance({ type: 'start' });
  assert.equal(line(told(lookup, 'slow', 1)), 'ask 3');
  answered(lookup, 2);
  assert.equal(line(answered(lookup, 3)), 'ask ');
  assert.equal(line(answered(lookup, 1)), 'done 1,2,3 (3/3)');
});

/** The same, in the way of who would rather have others than wait. */
function impatient(patience: Patience, ...seeds: number[]): Lookup {
  const known = { target: Uint8Array.of(0), self: Uint8Array.of(0xff) };
  return new Lookup({ ...known, seeds: seeds.map(tinyContact) }, { patience }, options);
}

test('in haste the next nearest is asked for a slow one, and the end does not wait', () => {
  const lookup = impatient('hasty', 1, 2, 3, 4);
  assert.equal(line(lookup.advance({ type: 'start' })), 'ask 1,2');
  assert.equal(line(told(lookup, 'slow', 1)), 'ask 3');
  answered(lookup, 2);
  assert.equal(line(answered(lookup, 3)), 'ask ');
  assert.equal(line(answered(lookup, 4)), 'done 2,3,4 (3/4)');
});

test('a late answer counts while the lookup goes on', () => {
  const lookup = impatient('hasty', 1, 2, 3, 4);
  lookup.advance({ type: 'start' });
  told(lookup, 'slow', 1);
  answered(lookup, 2);
  answered(lookup, 1);
  assert.equal(line(answered(lookup, 3)), 'done 1,2,3 (3/4)');
});

test('without anybody to take its place a slow one is waited for, until it is overdue', () => {
  const lookup = impatient('hasty', 1, 2);
  lookup.advance({ type: 'start' });
  answered(lookup, 2);
  assert.equal(line(told(lookup, 'slow', 1)), 'ask ');
  assert.equal(line(told(lookup, 'overdue', 1)), 'done 2 (1/2)');
});

test('whoever is within the radius is asked at once, whatever α', () => {
  const known = { target: Uint8Array.of(0), self: Uint8Array.of(0xff) };
  const seeds = [1, 2, 3, 4, 0x40].map(tinyContact);
  const sigma = { least: 3, most: 9, radius: 0x10 / 256 };
  const near = new Lookup({ ...known, seeds }, { sigma }, options);
  assert.equal(line(near.advance({ type: 'start' })), 'ask 1,2,3');
  const whole = new Lookup({ ...known, seeds }, { sigma, reach: 'whole' }, options);
  assert.equal(line(whole.advance({ type: 'start' })), 'ask 1,2,3,4');
});

function isOne({ id: [id] }: Contact): boolean {
  return id === 1;
}

test('who did not answer lately is asked, but not waited for', () => {
  const known = { target: Uint8Array.of(0), self: Uint8Array.of(0xff) };
  const seeds = [1, 2, 3, 4].map(tinyContact);
  const goal = { patience: 'hasty', isDoubtful: isOne } as const;
  const lookup = new Lookup({ ...known, seeds }, goal, options);
  assert.equal(line(lookup.advance({ type: 'start' })), 'ask 1,2,3');
  answered(lookup, 2);
  answered(lookup, 3);
  assert.equal(line(answered(lookup, 4)), 'done 2,3,4 (3/4)');
});

test('two paths share no contact, and both come to their end', () => {
  const known = { target: Uint8Array.of(0), self: Uint8Array.of(0xff) };
  const seeds = [1, 2, 3, 4].map(tinyContact);
  const lookup = new Lookup({ ...known, seeds }, { paths: 2 }, { ...options, k: 2 });
  assert.equal(line(lookup.advance({ type: 'start' })), 'ask 1,3,2,4');
  assert.equal(line(answered(lookup, 1, [2, 5])), 'ask ');
  answered(lookup, 2);
  answered(lookup, 4);
  assert.equal(line(answered(lookup, 3)), 'done 1,2 (4/4)');
});

test('requests farther out are not waited for', () => {
  const lookup = lookupFrom(0x10, 0x20);
  assert.equal(line(lookup.advance({ type: 'start' })), 'ask 16,32');
  assert.equal(line(answered(lookup, 0x10, [1, 2])), 'ask 1');
  assert.equal(line(told(lookup, 'slow', 1)), 'ask 2');
  answered(lookup, 2);
  assert.equal(line(answered(lookup, 1)), 'done 1,2,16 (3/4)');
});

test('it goes on while every place is taken by requests that matter no more', () => {
  const lookup = lookupFrom(0x10, 0x20);
  lookup.advance({ type: 'start' });
  answered(lookup, 0x20, [1, 2, 3, 4]);
  assert.equal(line(told(lookup, 'failed', 1)), 'ask 2');
  assert.equal(line(answered(lookup, 2, [5])), 'ask 3,4');
});

test('a client answers, but is not among the closest', () => {
  const lookup = lookupFrom(1, 2);
  lookup.advance({ type: 'start' });
  assert.equal(line(answered(lookup, 1, [3], false)), 'ask 3');
  answered(lookup, 2);
  assert.equal(line(answered(lookup, 3)), 'done 2,3 (3/3)');
});

test('answers that nobody asked for, or twice, change nothing', () => {
  const lookup = lookupFrom(1, 2);
  lookup.advance({ type: 'start' });
  answered(lookup, 1);
  assert.equal(line(answered(lookup, 1, [3])), 'ask ');
  assert.equal(line(answered(lookup, 77, [4])), 'ask ');
  assert.equal(line(told(lookup, 'failed', 1)), 'ask ');
  assert.equal(line(answered(lookup, 2)), 'done 1,2 (2/2)');
});

test('IDs of another length are ignored', () => {
  const odd = { ...tinyContact(1), id: Uint8Array.of(0, 1) };
  const known = { target: Uint8Array.of(0), self: Uint8Array.of(9), seeds: [odd] };
  assert.equal(line(new Lookup(known, {}, options).advance({ type: 'start' })), 'done  (0/0)');
});

/** IDs of two bytes: more than a liar can use up. */
function wideContact(n: number): Contact {
  return { ...tinyContact(1), id: Uint8Array.of(n >> 8, n & 255) };
}

test('a peer that makes up ever nearer contacts comes to an end', () => {
  const known = { target: new Uint8Array(2), self: Uint8Array.of(255, 255) };
  const seeds = [wideContact(65_000)];
  const lookup = new Lookup({ ...known, seeds }, {}, { ...options, askedMax: 50 });
  let nearest = 65_000;
  const pending: Contact[] = [];
  let state = lookup.advance({ type: 'start' });
  while (state.type === 'running') {
    pending.push(...state.ask);
    const contacts = Array.from({ length: 20 }, () => wideContact(--nearest));
    const contact = pending.shift() ?? wideContact(0);
    state = lookup.advance({ type: 'answered', contact, contacts, server: true });
    assert.ok(nearest > 2000, 'it goes on and on');
  }
  assert.equal(state.asked, 50);
});

test('where everybody knows everybody, the result is the k nearest that live', () => {
  const some = fc.uniqueArray(fc.integer({ min: 0, max: 254 }), { minLength: 1, maxLength: 40 });
  const dead = fc.uniqueArray(fc.integer({ min: 0, max: 254 }), { maxLength: 40 });
  checkProperty(
    fc.property(some, dead, fc.integer({ min: 0, max: 255 }), (nodes, gone, goal) => {
      const target = Uint8Array.of(goal);
      const seeds = nodes.map(tinyContact);
      const lookup = new Lookup({ target, self: Uint8Array.of(255), seeds }, {}, options);
      const pending: number[] = [];
      let state = lookup.advance({ type: 'start' });
      while (state.type === 'running') {
        pending.push(...tinyIds(state.ask).map(Number));
        const next = pending.shift();
        assert.ok(next !== undefined, 'a running lookup waits for somebody');
        state = gone.includes(next) ? told(lookup, 'failed', next) : answered(lookup, next, nodes);
      }
      const living = seeds.filter(({ id: [id] }) => !gone.includes(Number(id)));
      const nearest = living.toSorted((a, b) => compareDistance(target, a.id, b.id));
      assert.deepEqual(tinyIds(state.closest), tinyIds(nearest.slice(0, options.k)));
    }),
  );
});

/**
 * Everybody within reach of the target: some who live, known from the start, and inventors who
 * stand nearest and name 20 dead contacts each, nearer still, which never are the same.
 */
function besieged(
  inventors: number,
  askedMax: number,
): { state: Extract<LookupState, { type: 'finished' }>; honest: readonly number[] } {
  const target = new Uint8Array(2);
  const honest = Array.from({ length: 40 }, (_, i) => 20_000 + i);
  const liars = Array.from({ length: inventors }, (_, i) => 10_000 + i);
  const sigma = { least: 20, most: 60, radius: 0.5 };
  const goal = { reach: 'whole', sigma, densityLimit: Number.POSITIVE_INFINITY } as const;
  const known = { target, self: Uint8Array.of(255, 255) };
  const seeds = [...liars, honest[0] ?? 0].map(wideContact);
  const lookup = new Lookup({ ...known, seeds }, goal, { k: 20, concurrency: 5, askedMax });
  let invented = 0;
  const pending: Contact[] = [];
  let state = lookup.advance({ type: 'start' });
  while (state.type === 'running') {
    pending.push(...state.ask);
    const contact = pending.shift();
    assert.ok(contact, 'a running lookup waits for somebody');
    const at = wideIdOf(contact);
    if (at < 10_000) state = lookup.advance({ type: 'failed', contact });
    else {
      const dead = (): number => (invented < 9000 ? ++invented : 9001);
      const named = at < 20_000 ? Array.from({ length: 20 }, dead) : nextOf(at, honest);
      const contacts = named.map(wideContact);
      state = lookup.advance({ type: 'answered', contact, contacts, server: true });
    }
  }
  return { state, honest };
}

/** Those that come next, few at a time. */
function nextOf(at: number, honest: readonly number[]): readonly number[] {
  return honest.filter((id) => id > at && id <= at + 4);
}

test('who invents contacts uses up no requests that others need', () => {
  const { state, honest } = besieged(16, 160);
  const found = new Set(state.closest.map(wideIdOf));
  assert.deepEqual(
    honest.filter((id) => !found.has(id)),
    [],
  );
  assert.ok(state.asked <= 160);
  assert.equal(state.complete, true);
});

test('without requests enough for all who should be asked, it says so', () => {
  assert.equal(besieged(0, 160).state.complete, true);
  assert.equal(besieged(0, 30).state.complete, false);
});

function isDead(id: number): boolean {
  return id % 100 === 0;
}

function wideIdOf({ id: [high = 0, low = 0] }: Contact): number {
  return (high << 8) + low;
}

test('one contact of ten is dead: nobody is suspected', () => {
  const target = new Uint8Array(2);
  const nodes = Array.from({ length: 100 }, (_, i) => 100 + 10 * i);
  const sigma = { least: 20, most: 60, radius: 0 };
  const known = { target, self: Uint8Array.of(255, 255), seeds: [wideContact(1090)] };
  const lookup = new Lookup(known, { sigma }, { k: 20, concurrency: 5, askedMax: 160 });
  const pending: Contact[] = [];
  const asked: number[] = [];
  let state = lookup.advance({ type: 'start' });
  while (state.type === 'running') {
    pending.push(...state.ask);
    const contact = pending.shift();
    assert.ok(contact, 'a running lookup waits for somebody');
    const at = wideIdOf(contact);
    asked.push(at);
    const contacts = nodes.filter((id) => Math.abs(id - at / 2) <= 100).map(wideContact);
    state = lookup.advance(
      isDead(at) && at !== 1090
        ? { type: 'failed', contact }
        : { type: 'answered', contact, contacts, server: true },
    );
  }
  const living = nodes.filter((id) => !isDead(id)).slice(0, 20);
  assert.deepEqual(state.closest.map(wideIdOf), living);
  assert.ok(asked.length < 40, `${asked.length} requests`);
});

test('whom a probe brings belongs to the path of who was asked', () => {
  const known = { target: Uint8Array.of(0), self: Uint8Array.of(0xff) };
  const seeds = [1, 2, 30, 40, 80].map(tinyContact); // 1, 30, 80 and 2, 40
  const sigma = { least: 2, most: 9, radius: 0x10 / 256 };
  const goal = { reach: 'whole', paths: 2, width: 4, sigma } as const;
  for (const [asked, next] of [
    [40, 'ask 200'], // the second path has room left
    [30, 'done 1,2,10 (6/6)'],
  ] as const) {
    const lookup = new Lookup({ ...known, seeds }, goal, options);
    let state = lookup.advance({ type: 'start' });
    const probes: Probe[] = [];
    const note = (then: LookupState): LookupState => {
      if (then.type === 'running') probes.push(...then.probe);
      return then;
    };
    for (const id of [1, 2, 30, 40, 80]) state = note(answered(lookup, id));
    while (probes.length > 0) {
      const probe = probes.shift();
      assert.ok(probe);
      const contacts = probe.contact.id[0] === asked ? [tinyContact(10)] : [];
      state = note(lookup.advance({ type: 'probed', probe, contacts }));
    }
    assert.equal(state.type, 'running');
    assert.equal(line(answered(lookup, 10, [200])), next);
  }
});
