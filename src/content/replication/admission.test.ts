import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualWorld } from '../../../test/support/manual-world.ts';
import { Admission, admissionDefaults } from './admission.ts';

const key = (n: number): Uint8Array => new Uint8Array(32).fill(n);

test('what four peers may, a whole network may not exceed', () => {
  const world = manualWorld();
  const admission = new Admission(world, { ...admissionDefaults, offersPerMinute: 10 });
  const taken = (peers: number, at: (n: number) => string): number => {
    let count = 0;
    for (let n = 0; n < peers; n++) {
      for (let i = 0; i < 20; i++) if (admission.allows('offer', key(n), at(n))) count++;
    }
    return count;
  };
  assert.equal(
    taken(30, (n) => `/ip4/203.0.113.${n + 1}/tcp/4001`),
    40,
  );
  world.advance(60_000);
  assert.equal(
    taken(30, (n) => `/ip4/198.51.${n + 100}.7/tcp/4001`),
    300,
  );
  world.advance(60_000);
  assert.equal(
    taken(5, () => '/ip4/127.0.0.1/tcp/4001'),
    50,
    'neighbours are no network',
  );
});

test('places are given in order, few to one peer, and not for ever waited for', async () => {
  const world = manualWorld();
  const options = { ...admissionDefaults, pullsMax: 3, pullsPerPeerMax: 2, waitingMax: 2 };
  const admission = new Admission(world, options);
  const { signal } = new AbortController();
  const first = await admission.pull(key(1), signal);
  const second = await admission.pull(key(1), signal);
  assert.ok(first && second);
  const third = admission.pull(key(1), signal);
  const other = await admission.pull(key(2), signal);
  assert.ok(other, 'the third place is for another peer');
  const late = admission.pull(key(3), signal);
  assert.equal(await admission.pull(key(4), signal), undefined, 'too many wait');
  first();
  assert.ok(await late, 'who waits for one of its own places keeps nobody waiting');
  other();
  assert.ok(await third);
  const vain = admission.pull(key(4), signal);
  await world.advanceAsync(options.waitMs);
  assert.equal(await vain, undefined);
  second();
  assert.ok(await admission.pull(key(4), signal), 'nothing was lost by waiting in vain');
});

test('one peer that wants many places at once leaves room for others to wait', async () => {
  const world = manualWorld();
  const options = { ...admissionDefaults, waitingMax: 8, waitingPerPeerMax: 2 };
  const admission = new Admission(world, options);
  const { signal } = new AbortController();
  const outcomes = Array.from({ length: 20 }, () => admission.pull(key(1), signal));
  assert.ok(await admission.pull(key(2), signal));
  await world.advanceAsync(options.waitMs);
  const got = await Promise.all(outcomes);
  assert.equal(got.filter((leave) => leave !== undefined).length, 2);
  assert.ok(await admission.pull(key(3), signal), 'nobody is counted for ever');
});

test('streams are counted by peer and in all', () => {
  const options = { ...admissionDefaults, streamsMax: 3, streamsPerPeerMax: 2 };
  const admission = new Admission(manualWorld(), options);
  const leave = admission.enter('a');
  assert.ok(leave && admission.enter('a'));
  assert.equal(admission.enter('a'), undefined);
  assert.ok(admission.enter('b'));
  assert.equal(admission.enter('c'), undefined);
  leave();
  assert.ok(admission.enter('c'));
});
