import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DnsNames } from '../../test/support/dns-names.ts';
import { manualWorld, type ManualWorld } from '../../test/support/manual-world.ts';
import { DnsCounters } from './counters.ts';
import { existenceDefaults, type ExistenceOptions, NameExistence } from './existence.ts';
import { sourceDefaults, type Source, Sources } from './sources.ts';

interface Bench {
  readonly names: DnsNames;
  readonly world: ManualWorld;
  readonly existence: NameExistence;
  readonly counters: DnsCounters;
  readonly here: Source;
  readonly find: (name: string, source?: Source) => Promise<string>;
  /** What is said at once. */
  readonly known: (name: string) => string;
}

function bench(options: Partial<ExistenceOptions> = {}): Bench {
  const world = manualWorld();
  const names = new DnsNames('alice.alt');
  const counters = new DnsCounters();
  const existence = new NameExistence(
    { names, world, counters },
    { ...existenceDefaults, ...options },
  );
  const here = new Sources(world.clock, sourceDefaults).of('127.0.0.1');
  return {
    names,
    world,
    existence,
    counters,
    here,
    find: async (name, source = here) => {
      const found = await existence.find(name, source);
      return found.state === 'unknown' ? found.why : found.state;
    },
    known: (name) => {
      const found = existence.find(name, here);
      return found instanceof Promise ? 'later' : found.state;
    },
  };
}

test('a name is looked for once by all who ask, and then known', async () => {
  const { names, find, known } = bench();
  assert.deepEqual(await Promise.all([find('alice.alt'), find('alice.alt')]), [
    'present',
    'present',
  ]);
  assert.deepEqual([names.asked.length, known('alice.alt')], [1, 'present']);
  assert.equal(await find('bob.alt'), 'absent');
  assert.equal(known('bob.alt'), 'absent');
});

test('whatever there is to say of a name, it is there; what cannot be a name is not', async () => {
  const { names, find } = bench();
  for (const state of ['new', 'contested', 'expired', 'revoked', 'blocked'] as const) {
    names.states.set(`${state}.alt`, state);
    assert.equal(await find(`${state}.alt`), 'present');
  }
  names.failure = 'BAD_NAME';
  assert.equal(await find('gns.alt'), 'absent');
});

test('what a node finds that is alone says nothing, but of what it has', async () => {
  const { names, find, known } = bench();
  names.answered = 0;
  assert.equal(await find('bob.alt'), 'NO_PEERS');
  assert.equal(known('bob.alt'), 'later');
  assert.equal(await find('alice.alt'), 'present');
});

test('an old answer is given at once while somebody looks', async () => {
  const { names, world, find, known } = bench();
  await find('alice.alt');
  world.advance(existenceDefaults.freshMs);
  names.states.clear();
  assert.deepEqual([known('alice.alt'), known('alice.alt')], ['present', 'present']);
  await world.advanceAsync(0);
  assert.deepEqual([names.asked.length, known('alice.alt')], [2, 'absent']);
});

test('an old answer stays while nobody can say better, but not for ever', async () => {
  const { names, world, find, known } = bench();
  await find('alice.alt');
  names.failure = 'NO_ANSWER';
  world.advance(existenceDefaults.staleMs - 1);
  assert.equal(known('alice.alt'), 'present');
  await world.advanceAsync(1);
  assert.equal(await find('alice.alt'), 'NO_ANSWER');
});

test('a name that is absent is looked for again soon, and after a change at once', async () => {
  const { names, world, existence, find, known } = bench();
  await find('bob.alt');
  names.states.set('bob.alt', 'new');
  assert.equal(known('bob.alt'), 'absent');
  existence.forgetAbsent();
  assert.equal(await find('bob.alt'), 'present');
  names.states.clear();
  existence.forgetAbsent();
  assert.equal(known('bob.alt'), 'present');
  existence.forgetAll();
  assert.equal(await find('bob.alt'), 'absent');
  await find('carol.alt');
  world.advance(existenceDefaults.absentMs);
  assert.equal(known('carol.alt'), 'later');
});

test('what was looked for before a change is not remembered', async () => {
  const { names, existence, find, known } = bench();
  const { promise, resolve } = Promise.withResolvers<void>();
  names.gate = promise;
  const before = find('bob.alt');
  existence.forgetAbsent();
  resolve();
  assert.equal(await before, 'absent');
  assert.equal(known('bob.alt'), 'later');
});

test('who waits too long is told so, and who asks again finds the answer', async () => {
  const { names, world, find, known } = bench();
  const { promise, resolve } = Promise.withResolvers<void>();
  names.gate = promise;
  const first = find('alice.alt');
  await world.advanceAsync(existenceDefaults.patienceMs);
  assert.equal(await first, 'TIMEOUT');
  const second = find('alice.alt');
  resolve();
  assert.equal(await second, 'present');
  assert.deepEqual([names.asked.length, known('alice.alt')], [1, 'present']);
  assert.equal(world.pendingTimers(), 0);
});

test('who makes up names is limited, and what is known is answered still', async () => {
  const { names, world, counters, here, find, known } = bench({
    lookups: { perSecond: 50, burst: 150 },
  });
  await find('alice.alt');
  const sources = new Sources(world.clock, sourceDefaults);
  const other = sources.of('192.168.1.7');
  const random = async (source: Source, count: number): Promise<number> => {
    const all = Array.from({ length: count }, (_, i) =>
      find(`x${names.asked.length}-${i}.alt`, source),
    );
    return (await Promise.all(all)).filter((found) => found === 'LIMITED').length;
  };
  // Others have half of what may be under way; what is left is this machine's.
  assert.equal(await random(other, 110), 46);
  assert.equal(await random(here, 60), 0);
  assert.equal(await random(here, 60), 35, 'the share of all is used up');
  assert.equal(known('alice.alt'), 'present');
  assert.equal(counters.snapshot(0).limited['lookups'], 81);
  assert.equal(counters.snapshot(0).lookups, 150);
  world.advance(1000);
  assert.equal(await random(here, 60), 40, 'each source has its own share as well');
});

test('names that are made up do not push out those that exist', async () => {
  const { find, known } = bench({
    lookups: { perSecond: 1e6, burst: 1e6 },
  });
  await find('alice.alt');
  const generous = { takeLookup: () => true } as Source;
  for (let i = 0; i < 10_000; i++) await find(`x${i}.alt`, generous);
  assert.equal(known('alice.alt'), 'present');
});

test('searches and those who wait are bounded; stopping ends both', async () => {
  const { names, existence, find } = bench({ lookupsMax: 2, waitingMax: 3 });
  names.gate = new Promise(() => undefined);
  const waiting = [find('a.alt'), find('b.alt'), find('b.alt')];
  assert.deepEqual([await find('c.alt'), await find('a.alt')], ['LIMITED', 'LIMITED']);
  await existence.stop();
  assert.deepEqual(await Promise.all(waiting), ['ABORTED', 'ABORTED', 'ABORTED']);
  assert.equal(await find('d.alt'), 'LIMITED');
});
