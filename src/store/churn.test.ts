import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { temporaryFolder } from '../../test/support/cleanup.ts';
import { sourcesEnv } from '../../test/support/compile-cache.ts';
import { auditStore } from '../../test/support/store-audit.ts';
import { openTestStore } from '../../test/support/store-folder.ts';
import { listedCounts, untilQuiet } from '../../test/support/store-holdings.ts';
import { churnBudgetBytes } from '../../test/support/store-samples.ts';
import { toHex } from '../base/bytes.ts';

const rounds = 6;
const program = path.resolve(import.meta.dirname, '../../test/support/store-churn-child.ts');
const budgets = { budgetBytes: churnBudgetBytes, perPeerBudgetBytes: churnBudgetBytes / 4 };

test('a store that is killed while it writes, evicts and removes is sound afterwards', async (t) => {
  const folder = temporaryFolder(t);
  const own = new Set<string>();
  let blocks = 0;
  for (let round = 0; round < rounds; round++) {
    for (const line of await churnAndKill(folder, round)) {
      const [what, root = ''] = line.split(' ');
      if (what === 'done') own.add(root);
      else own.delete(root);
    }
    const killed = await auditStore(folder);
    assert.deepEqual(killed.problems, [], `round ${round}, as the crash left it`);
    blocks = Math.max(blocks, killed.blocks);
    const store = await openTestStore(folder, budgets);
    const held = [...store.holdings.list()];
    const complete = new Set(held.filter((root) => root.complete).map(({ hash }) => toHex(hash)));
    for (const root of own) assert.ok(complete.has(root), `${root} was acknowledged`);
    assert.ok(held.every((root) => root.complete || root.kind === 'visited'));
    // Those of the rounds before take the room of the next ones.
    assert.deepEqual(store.counted(), listedCounts(store));
    for (const root of own) await store.holdings.remove(Buffer.from(root, 'hex'));
    assert.deepEqual(store.counted(), listedCounts(store));
    own.clear();
    await untilQuiet(store, 200);
    await store.close();
    const { bytes } = store.holdings.usage();
    const audit = await auditStore(folder);
    assert.deepEqual(audit.problems, [], `round ${round}, reopened`);
    assert.equal(audit.orphans, 0);
    assert.equal(audit.halfEmpty, 0);
    assert.equal(audit.cost, bytes);
    assert.ok(bytes <= churnBudgetBytes);
  }
  assert.ok(blocks > 50, `only ${blocks} blocks were ever there`);
});

/**
 * What the process said until it was killed: after so many acknowledgements, another number each
 * time, and then at a moment that it does not choose.
 */
async function churnAndKill(folder: string, round: number): Promise<string[]> {
  const child = spawn(process.execPath, [program, folder, String(round)], {
    env: sourcesEnv,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  const killAt = 1 + (round % 4);
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === 'ready') continue;
    lines.push(line);
    if (lines.length === killAt) {
      void delay((round * 37) % 100).then(() => child.kill('SIGKILL'));
    }
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  assert.equal(child.signalCode, 'SIGKILL', 'the writer ended by itself');
  return lines;
}
