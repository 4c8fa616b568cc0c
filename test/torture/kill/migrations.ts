/**
 * A store of the first version is brought up to date by a node that is killed while it does so, and
 * then by one that is not: everything that was in it must be there.
 */
import { cpSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type NodePlan, RunningNode } from '../running.ts';
import { type Bench, folderIn, type Scenario, type Size } from '../scenario.ts';
import { auditFolder } from './audit.ts';
import { Ledger } from './ledger.ts';
import { claimed, Spans } from './moment.ts';
import { type OperationKind, operationOf } from './operations.ts';
import { startSteady, type Steady } from './others.ts';
import { makeVersionOne } from './version-one.ts';

const budgetBytes = 64 * 2 ** 20;
/** One migration for so many other kills. */
const killsPerMigration = 10;
const content: readonly OperationKind[] = [
  ...(['publish', 'publish', 'publish', 'update'] as const),
  ...(['put value', 'put link', 'put link', 'fetch', 'fetch'] as const),
];

async function run(bench: Bench, { kills }: Size): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const steady = await startSteady(bench, stack, 2);
  const ledger = new Ledger();
  const original = await makeOriginal(bench, steady, ledger);
  const spans = new Spans();
  for (let i = 0; i < Math.max(1, kills / killsPerMigration); i++) {
    if (bench.signal.aborted) return bench.tally.note(`Not reached: all after ${i}`);
    const data = path.join(bench.folder, `copy-${i}`);
    cpSync(original, data, { recursive: true });
    await migrateTwice(bench, { plan: planOf(data, steady), ledger, spans });
    if (bench.tally.findings.length > 0) return;
    rmSync(data, { recursive: true, force: true });
    bench.say(`migration: ${i + 1}`);
  }
}

function planOf(data: string, { bootstrap }: Steady): NodePlan {
  const options = ['--store-budget', String(budgetBytes), '--replicas', '0'];
  return { name: 'migrated', data, bootstrap, options };
}

/** The data folder of a node that did all kinds of things with the first version. */
async function makeOriginal(bench: Bench, steady: Steady, ledger: Ledger): Promise<string> {
  const data = folderIn(bench, 'original');
  await using node = RunningNode.start(planOf(data, steady));
  const services = await node.services();
  const shop = {
    ledger,
    random: bench.random,
    scratch: folderIn(bench, 'scratch'),
    others: steady.sites,
    acknowledged: (what: string) => bench.tally.acknowledged(what),
    wrong: (what: string) => bench.tally.found({ kind: 'loss', what, where: 'before' }),
  };
  for (const kind of content) await operationOf(kind, shop)(services);
  await node.stop();
  await makeVersionOne(data);
  return data;
}

async function migrateTwice(
  bench: Bench,
  {
    plan,
    ledger,
    spans,
  }: { readonly plan: NodePlan; readonly ledger: Ledger; readonly spans: Spans },
): Promise<void> {
  const { tally, random } = bench;
  const waitMs = spans.draw('migration', random);
  const where = `migration killed after ${waitMs.toFixed(0)} ms`;
  await using killed = RunningNode.start(plan);
  await claimed(killed);
  await delay(waitMs);
  await killed.kill();
  tally.fault('kill during migration');
  await using node = RunningNode.start(plan);
  const begun = performance.now();
  const services = await node.services();
  tally.recovered(performance.now() - begun);
  spans.learn('migration', performance.now() - begun);
  const { checked, losses } = await ledger.verify(services, folderIn(bench, 'scratch'));
  tally.checked(checked);
  for (const what of losses) tally.found({ kind: 'loss', what, where });
  const code = await node.stop();
  if (code !== 0) tally.found({ kind: 'failure', what: `ended with ${code}\n${node.log}`, where });
  for (const what of await auditFolder(plan.data, { budgetBytes })) {
    tally.found({ kind: 'accounting', what, where });
  }
}

export const migrations: Scenario = {
  name: 'migration',
  title: 'kill -9 while a store of the first version is brought up to date',
  run,
};
