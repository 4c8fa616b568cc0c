import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endpointAt } from '../../../test/support/mode-samples.ts';
import type { AddressVerdict } from './address-votes.ts';
import { Reachability, reachabilityDefaults } from './reachability.ts';

const minute = 60_000;
const hour = 60 * minute;
const here = endpointAt('51.0.0.1:9000');
const there = endpointAt('52.0.0.1:9000');
const open: AddressVerdict = { kind: 'open', votes: 3 };

function knocksFrom(...networks: readonly string[]): { promised: number; networks: Set<string> } {
  return { promised: 4, networks: new Set(networks) };
}
const nothing = knocksFrom();
const refused = { promised: 0, networks: new Set<string>() };

/** Adopted at 0, reachable from 15 min on. */
function reachable(): Reachability {
  const reach = new Reachability();
  reach.hear({ kind: 'adopted', endpoint: here }, 0);
  reach.tested(here, knocksFrom('a', 'b', 'c', 'd'), 0);
  reach.judge({ clock: 'right', nowMs: 15 * minute });
  assert.equal(reach.reachable, true);
  return reach;
}

test('reachable takes an address for 15 min, 4 networks and a right clock', () => {
  const reach = new Reachability();
  assert.deepEqual(reach.state(0), { kind: 'unknown', votes: 0 });
  assert.equal(reach.isTestDue(0), false, 'nothing to test yet');
  reach.hear({ kind: 'adopted', endpoint: here }, 1000);
  assert.equal(reach.isTestDue(1000), true);
  reach.tested(here, knocksFrom('a', 'b'), 1000);
  reach.tested(here, knocksFrom('b', 'c'), 2000);
  reach.judge({ clock: 'right', nowMs: hour });
  assert.equal(reach.reachable, false, 'three networks');
  reach.tested(here, knocksFrom('d'), 3000);
  reach.judge({ clock: 'right', nowMs: 1000 + 15 * minute - 1 });
  assert.equal(reach.reachable, false, 'too new');
  reach.judge({ clock: 'unknown', nowMs: hour });
  reach.judge({ clock: 'wrong', nowMs: hour });
  assert.equal(reach.reachable, false, 'no clock');
  reach.judge({ clock: 'right', nowMs: 1000 + 15 * minute });
  assert.deepEqual(reach.state(hour), { kind: 'reachable', endpoint: here });
});

test('tests that bring nothing come ever less often, down to hourly', () => {
  const reach = new Reachability();
  reach.hear({ kind: 'adopted', endpoint: here }, 0);
  const delays: number[] = [];
  let nowMs = 0;
  for (let i = 0; i < 9; i++) {
    reach.tested(here, i % 2 === 0 ? nothing : refused, nowMs);
    const begunMs = nowMs;
    while (!reach.isTestDue(nowMs)) nowMs += minute;
    delays.push((nowMs - begunMs) / minute);
  }
  assert.deepEqual(delays, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
  reach.tested(here, knocksFrom('a'), nowMs);
  assert.equal(reach.isTestDue(nowMs + minute), true, 'something new: go on soon');
});

test('two failed tests in a row make a client, and it begins anew', () => {
  const reach = reachable();
  assert.equal(reach.isTestDue(hour - 1), false);
  assert.equal(reach.isTestDue(hour), true);
  reach.tested(here, nothing, hour);
  assert.equal(reach.reachable, true);
  assert.equal(reach.isTestDue(hour + minute), true, 'a failure is looked at again soon');
  reach.tested(here, knocksFrom('x'), hour + minute);
  reach.tested(here, nothing, 2 * hour);
  assert.equal(reach.reachable, true, 'not two in a row');
  reach.tested(here, refused, 2 * hour);
  assert.equal(reach.reachable, true, 'nobody promised anything');
  reach.tested(here, nothing, 2 * hour);
  assert.equal(reach.reachable, false);
  reach.judge({ clock: 'right', nowMs: 3 * hour });
  assert.equal(reach.reachable, false, 'the old successes are gone');
  reach.tested(here, knocksFrom('a', 'b', 'c', 'd'), 3 * hour);
  reach.judge({ clock: 'right', nowMs: 3 * hour });
  assert.equal(reach.reachable, true);
});

test('another address starts from the beginning, unclear votes only cause a test', () => {
  const reach = reachable();
  reach.hear(open, 20 * minute);
  assert.equal(reach.reachable, true);
  assert.equal(reach.isTestDue(20 * minute), true);
  reach.tested(here, knocksFrom('a'), 20 * minute);
  reach.hear(open, 21 * minute);
  assert.equal(reach.isTestDue(21 * minute), false, 'one change of the votes, one test');
  reach.hear({ kind: 'adopted', endpoint: there }, 22 * minute);
  const { kind, ...rest } = reach.state(22 * minute);
  assert.equal(kind, 'testing');
  assert.deepEqual(rest, { endpoint: there, networks: 0, failures: 0, stable: false });
  reach.tested(here, knocksFrom('a', 'b', 'c', 'd'), 23 * minute);
  assert.partialDeepStrictEqual(reach.state(0), { networks: 0 }, 'that was the old address');
});

test('a symmetric NAT or a wrong clock makes a client at once', () => {
  const symmetric = reachable();
  symmetric.hear({ kind: 'symmetric' }, hour);
  assert.deepEqual(symmetric.state(hour), { kind: 'symmetric' });
  assert.equal(symmetric.isTestDue(hour), false);
  const late = reachable();
  late.judge({ clock: 'unknown', nowMs: hour });
  assert.equal(late.reachable, true);
  late.judge({ clock: 'wrong', nowMs: hour });
  assert.equal(late.reachable, false);
});

test('the networks remembered are bounded', () => {
  const reach = new Reachability(reachabilityDefaults);
  reach.hear({ kind: 'adopted', endpoint: here }, 0);
  for (let n = 0; n < 100; n++) reach.tested(here, knocksFrom(String(n)), n);
  assert.partialDeepStrictEqual(reach.state(0), { networks: 4 });
});

test('a node that was reachable where it is adopted again needs one knock, and no wait', () => {
  const again = new Reachability();
  again.recall(here);
  again.hear({ kind: 'adopted', endpoint: here }, 1000);
  again.judge({ clock: 'right', nowMs: 1000 });
  assert.equal(again.reachable, false, 'its own memory proves nothing');
  again.tested(here, nothing, 1000);
  again.judge({ clock: 'right', nowMs: 1000 });
  assert.equal(again.reachable, false);
  again.tested(here, knocksFrom('a'), 2000);
  again.judge({ clock: 'wrong', nowMs: 2000 });
  assert.equal(again.reachable, false, 'a right clock it needs as well');
  again.judge({ clock: 'right', nowMs: 2000 });
  assert.equal(again.reachable, true);
});

test('what is recalled of one address is worth nothing at another, nor later', () => {
  const moved = new Reachability();
  moved.recall(here);
  for (const endpoint of [there, here]) {
    moved.hear({ kind: 'adopted', endpoint }, 0);
    moved.tested(endpoint, knocksFrom('a'), 0);
    moved.judge({ clock: 'right', nowMs: hour });
    assert.equal(moved.reachable, false);
  }
  const failed = new Reachability();
  failed.recall(here);
  failed.hear({ kind: 'adopted', endpoint: here }, 0);
  for (let i = 0; i < 2; i++) failed.tested(here, nothing, 0);
  failed.tested(here, knocksFrom('a'), 0);
  failed.judge({ clock: 'right', nowMs: hour });
  assert.equal(failed.reachable, false, 'after two failed tests it begins anew');
});
