/**
 * `npm run torture` in short: a few kills at random moments, a disk that is full, and a network that
 * is broken in every way in turn. The seed is new each time; a failure shows it.
 */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { rmSync } from 'node:fs';
import process from 'node:process';
import { test, type TestContext } from 'node:test';
import { blackout } from '../torture/blackout.ts';
import { dayMs, fleetWithClocks, jumpOne, jumpRestarting } from '../torture/clocks.ts';
import { disk } from '../torture/disk.ts';
import { freezeHalf } from '../torture/freeze.ts';
import { killHalf } from '../torture/halves.ts';
import { kill } from '../torture/kill/kill.ts';
import { migrations } from '../torture/kill/migrations.ts';
import { loseFirst } from '../torture/orphans.ts';
import { tableOf } from '../torture/report.ts';
import type { Bench, Scenario, Size } from '../torture/scenario.ts';
import { runScenario } from '../torture/session.ts';
import { sumOf } from '../torture/tally.ts';

const size: Size = { kills: 10, lanes: 2, nodes: 6, watchMs: 0 };

async function torture(t: TestContext, scenario: Scenario): Promise<void> {
  const seed = Number(process.env['TORTURE_SEED'] ?? randomInt(2 ** 31));
  const never = new AbortController().signal;
  const ended = await runScenario(scenario, { seed, size, signal: never, say: () => undefined });
  const { tally, folder } = ended;
  if (tally.skipped !== undefined) return t.skip(tally.skipped);
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  assert.deepEqual(tally.findings, [], tableOf([ended], seed));
  assert.ok(
    sumOf(tally.faults) > 0 && tally.checks > 0,
    'it broke something and looked at something',
  );
}

/** One network through everything, which is quicker than a new one each time. */
async function breakNetwork(bench: Bench, { nodes }: Size): Promise<void> {
  const { fleet, set } = fleetWithClocks(bench);
  await using stack = new AsyncDisposableStack();
  stack.use(fleet);
  await fleet.start(nodes);
  await freezeHalf(fleet, 2000);
  await jumpOne(fleet, set);
  await jumpRestarting(fleet, set, [dayMs, 0]);
  await blackout(fleet);
  await loseFirst(fleet);
  await killHalf(fleet);
}

const network: Scenario = { name: 'network', title: 'everything in turn', run: breakNetwork };

for (const scenario of [kill, migrations, disk, network]) {
  test(`${scenario.name}: ${scenario.title}`, (t) => torture(t, scenario));
}
