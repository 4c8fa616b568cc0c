import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualWorld } from '../../test/support/manual-world.ts';
import { sleep } from '../base/abort.ts';
import type { HeldRoot } from './ports.ts';
import type { Announced } from './provide.ts';
import { announceAll, AnnouncingTempo, inOrderOfNeed } from './reprovide.ts';

function held(number: number, how: Partial<HeldRoot> = {}): HeldRoot {
  return {
    hash: new Uint8Array(32).fill(number),
    codec: 'dag-pb',
    kind: 'own',
    complete: true,
    files: 1,
    bytes: 1,
    addedMs: 0,
    usedMs: number,
    keep: false,
    ...how,
  };
}

const numbers = (all: readonly HeldRoot[]): (number | undefined)[] =>
  all.map(({ hash }) => hash[0]);

test('own roots come first, earlier versions last, and those used last before others', () => {
  const all = [
    held(9, { supersededMs: 1 }),
    held(8, { kind: 'visited' }),
    held(1),
    held(7, { kind: 'replica' }),
    held(6, { complete: false }),
    held(2),
  ];
  assert.deepEqual(numbers(inOrderOfNeed(all)), [2, 1, 8, 7, 9]);
});

/** Twenty others were asked, none of whom was asked for the record before. */
let asked = 0;
function by(stored: number, how: Partial<Announced> = {}): Announced {
  const holders = Array.from({ length: stored }, () => `node ${asked++}`);
  return { stored, asked: 20, holders, waitMs: 0, isPending: false, ...how };
}

test('ever more are announced at a time, up to four, and a failure ends it', async () => {
  const all = Array.from({ length: 100 }, (_, i) => held(i));
  const world = manualWorld();
  const { timers } = world;
  let [running, most] = [0, 0];
  const said: number[] = [];
  const announce = async ({ usedMs }: HeldRoot): Promise<Announced> => {
    most = Math.max(most, ++running);
    await sleep(timers, 1000);
    said.push(usedMs);
    running--;
    return by(20);
  };
  const announcing = announceAll(all, announce, { timers, signal: undefined });
  await world.advanceAsync(40_000);
  await announcing;
  assert.deepEqual([said.length, most], [100, 4]);

  let begun = 0;
  const failing = announceAll(
    all,
    async () => {
      if (++begun === 50) throw new Error('the disk is full');
      return by(20);
    },
    { timers, signal: undefined },
  );
  const failed = assert.rejects(failing, /the disk is full/);
  await world.advanceAsync(40_000);
  await failed;
  assert.ok(begun < 54);
});

test('other addresses end it, also in a pause', async () => {
  const world = manualWorld();
  const stop = new AbortController();
  const taken = [20, 0, 0];
  const stopping = announceAll(
    Array.from({ length: 100 }, (_, i) => held(i)),
    async () => by(taken.shift() ?? assert.fail('it went on')),
    { timers: world.timers, signal: stop.signal },
  );
  const ended = assert.rejects(stopping, /other addresses/);
  await world.advanceAsync(100);
  assert.equal(taken.length, 0);
  stop.abort(new Error('other addresses'));
  await ended;
});

function tempoOf(): (...all: readonly Announced[]) => [number, number] {
  const tempo = new AnnouncingTempo();
  // What is announced first may go to the same few; here it does not.
  const took = (...all: readonly Announced[]): [number, number] => {
    for (const one of all) tempo.took(one);
    return [tempo.atOnce, tempo.pauseMs];
  };
  took(...Array.from({ length: 40 }, () => by(20)));
  return took;
}

test('a single one that hardly anybody took costs little, several in a row cost more', () => {
  const took = tempoOf();
  const atOnce = (...all: readonly Announced[]): number => took(...all)[0];
  assert.equal(atOnce(), 4);
  assert.equal(atOnce(by(5)), 4);
  assert.equal(atOnce(by(4)), 2);
  assert.equal(atOnce(by(20), by(20), by(20), by(20)), 4, 'four that go well make up for it');
  assert.deepEqual(took(by(0), by(0), by(0)), [1, 50]);
  assert.deepEqual(took(by(0), by(0), by(0), by(0), by(0)), [1, 400]);
  assert.deepEqual(took(by(20), by(20)), [1, 200]);
});

test('one key with a crowd of storers does not make all others look refused', () => {
  const took = tempoOf();
  const [atOnce] = took(by(60, { asked: 60 }), by(14, { asked: 14 }), by(14, { asked: 14 }));
  assert.equal(atOnce, 4);
  assert.equal(took(by(1, { asked: 2 }))[0], 2, 'who is silent is asked no more, and counts');
});

test('where all go to the same storers they are told a few a second', () => {
  const tempo = new AnnouncingTempo();
  const holders = Array.from({ length: 20 }, (_, i) => `node ${i}`);
  for (let i = 0; i < 40; i++) tempo.took(by(20, { holders }));
  assert.equal(tempo.pauseMs, 160);
  for (let i = 0; i < 40; i++) tempo.took(by(20));
  assert.ok(tempo.pauseMs < 1);
});

test('nobody who is known is nobody who refuses', () => {
  const took = tempoOf();
  assert.equal(took(by(0, { asked: 0 }), by(0, { asked: 0 }))[0], 4);
});

test('storers that want all of it later are left alone until then, and then get it', async () => {
  const world = manualWorld();
  const all = Array.from({ length: 12 }, (_, i) => held(i));
  const begun: [number, number][] = [];
  const announce = async ({ usedMs }: HeldRoot): Promise<Announced> => {
    const second = Math.floor(world.clock.monotonicMs() / 1000);
    begun.push([usedMs, second]);
    await sleep(world.timers, 100);
    return usedMs <= 5 && second < 30 ? by(1, { waitMs: 30_000 }) : by(20);
  };
  const { timers } = world;
  const announcing = announceAll(all, announce, { timers, signal: undefined });
  await world.advanceAsync(60_000);
  await announcing;
  const late = begun.filter(([, second]) => second >= 30).map(([usedMs]) => usedMs);
  assert.deepEqual(late, [5, 4, 3, 2, 1, 0], 'in order of need');
  assert.ok(begun.length <= all.length + 4, 'few were in vain');
});

test('who wants it later for ever is not asked for ever', async () => {
  const world = manualWorld();
  let begun = 0;
  const announce = async (): Promise<Announced> => {
    begun++;
    return by(0, { waitMs: 3_600_000 });
  };
  const { timers } = world;
  const announcing = announceAll([held(1)], announce, { timers, signal: undefined });
  await world.advanceAsync(120_000);
  await announcing;
  assert.equal(begun, 3);
});
