/**
 * `npm run torture` in short: a few kills at random moments, a disk that is full, and a network that
 * is broken in every way in turn. The seed is new each time; a failure shows it.
 */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { test, type TestContext } from 'node:test';
import { seededRandom } from '../../sim/random.ts';
import { temporaryFolder } from '../support/cleanup.ts';
import { blackout } from '../torture/blackout.ts';
import { dayMs, fleetWithClocks, jumpAll, jumpRestarting } from '../torture/clocks.ts';
import { disk } from '../torture/disk.ts';
import { freezeHalf } from '../torture/freeze.ts';
import { killHalf } from '../torture/halves.ts';
import { auditFolder } from '../torture/kill/audit.ts';
import { kill } from '../torture/kill/kill.ts';
import { Ledger } from '../torture/kill/ledger.ts';
import { migrations } from '../torture/kill/migrations.ts';
import { operationOf } from '../torture/kill/operations.ts';
import { loseFirst } from '../torture/orphans.ts';
import { tableOf } from '../torture/report.ts';
import { RunningNode } from '../torture/running.ts';
import type { Bench, Scenario, Size } from '../torture/scenario.ts';
import { runScenario } from '../torture/session.ts';
import { sumOf } from '../torture/tally.ts';

const size: Size = { kills: 6, lanes: 2, nodes: 5, watchMs: 0 };

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

const ignore = (): void => undefined;

/** A node that did something and ended, in `data`, and what it acknowledged. */
async function makeHistory(t: TestContext, data: string): Promise<Ledger> {
  const [ledger, scratch] = [new Ledger(), temporaryFolder(t)];
  const random = seededRandom(1);
  const shop = { ledger, random, scratch, others: [], acknowledged: ignore, wrong: ignore };
  await using node = RunningNode.start({ name: 'history', data });
  const services = await node.services();
  for (const kind of ['publish', 'publish', 'put value', 'put link'] as const) {
    await operationOf(kind, shop)(services);
  }
  assert.equal(await node.stop(), 0);
  return ledger;
}

test('what is broken by hand is noticed', async (t) => {
  const data = temporaryFolder(t);
  const ledger = await makeHistory(t, data);
  const options = { budgetBytes: 2 ** 30 };
  assert.deepEqual(await auditFolder(data, options), []);

  const packs = path.join(data, 'store/packs');
  const [missing, changed] = readdirSync(packs).map((name) => path.join(packs, name));
  assert.ok(missing !== undefined && changed !== undefined);
  rmSync(missing);
  const bytes = readFileSync(changed);
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1); // of its last block
  writeFileSync(changed, bytes);
  writeFileSync(path.join(packs, 'f'.repeat(8)), '');
  const said = (await auditFolder(data, options)).join('\n');
  assert.match(said, /pack [0-9a-f]{8}: no B/);
  assert.match(said, /1 × file belongs to no block/);
  assert.match(said, /1 × block has other bytes than its hash says/);
  assert.match(said, /complete root [0-9a-f]{64} lacks/);
  assert.ok(
    (await auditFolder(data, { budgetBytes: 1 })).some((why) => why.includes('its budget')),
  );

  await using node = RunningNode.start({ name: 'again', data });
  const services = await node.services();
  const { losses } = await ledger.verify(services, temporaryFolder(t));
  assert.ok(
    losses.length > 0 && losses.every((what) => /^(site|value) /.test(what)),
    losses.join(),
  );
  ledger.links.push({
    url: 'http://dead.example/',
    target: 'https://never.example/',
    fate: 'there',
  });
  const after = await ledger.verify(services, temporaryFolder(t));
  assert.ok(after.losses.includes('link to https://never.example/: gone'));
});

/** One network through everything, which is quicker than a new one each time. */
async function breakNetwork(bench: Bench, { nodes, watchMs }: Size): Promise<void> {
  const { fleet, set } = fleetWithClocks(bench);
  await using stack = new AsyncDisposableStack();
  stack.use(fleet);
  await fleet.start(nodes);
  await freezeHalf(fleet, { forMs: 2000, publishers: 1 });
  await jumpAll(fleet, set, { watchMs, offsetsMs: [dayMs] });
  await jumpRestarting(fleet, set, [0]);
  await blackout(fleet);
  await loseFirst(fleet);
  await killHalf(fleet);
}

const network: Scenario = { name: 'network', title: 'everything in turn', run: breakNetwork };

for (const scenario of [kill, migrations, disk, network]) {
  test(`${scenario.name}: ${scenario.title}`, (t) => torture(t, scenario));
}
