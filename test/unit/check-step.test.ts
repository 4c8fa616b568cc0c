/** What `npm test` says of a check that never ends. */
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type Outcome, runStep, worthReading } from '../../tools/check-step.ts';
import { temporaryFolder } from '../support/cleanup.ts';
import { manualWorld } from '../support/manual-world.ts';

const unitTests = path.resolve(import.meta.dirname, '../../tools/unit.ts');
const limitMs = 60_000;
/** Says that it has come so far, and stays. */
const hang = "writeFileSync('hanging', ''); setInterval(() => undefined, 1000)";
const tests = `
  import { writeFileSync } from 'node:fs';
  import { test } from 'node:test';
  test('one that ends', () => undefined);
  test('one that never ends', () => new Promise(() => { ${hang} }));
`;

/** What comes of it when its limit is reached while it hangs. */
async function overdue(t: TestContext, args: readonly string[]): Promise<Outcome> {
  const cwd = temporaryFolder(t);
  writeFileSync(path.join(cwd, 'slow.test.mjs'), tests);
  const world = manualWorld();
  const outcome = runStep({ args, limitMs }, { cwd, timers: world.timers });
  while (!existsSync(path.join(cwd, 'hanging'))) await delay(10);
  world.advance(limitMs);
  return outcome;
}

test('a check that takes too long is ended, and the test that it was over is named', async (t) => {
  const runners = [['--test', '--test-reporter=spec', '--test-isolation=none'], [unitTests]];
  for (const runner of runners) {
    const outcome = await overdue(t, [...runner, 'slow.test.mjs']);
    assert.ok(outcome.isOverdue && outcome.code !== 0);
    const text = worthReading(outcome);
    assert.match(text, /^took too long/);
    assert.match(text, /⚠ one that never ends \(.*slow\.test\.mjs:5:/);
    assert.doesNotMatch(text, /one that ends/);
  }
});

test('one that is no test is shown by the last it said', async (t) => {
  const program = `console.log('begun'); const { writeFileSync } = require('node:fs'); ${hang}`;
  const outcome = await overdue(t, ['--eval', program]);
  assert.match(worthReading(outcome), /^took too long, and does not say over what;[^\n]*\nbegun$/);
});

/** Starts a process that holds its output open for ever. */
const leaveOne = `
  const { spawn } = require('node:child_process');
  const { writeFileSync } = require('node:fs');
  const endless = "console.log('left'); setInterval(() => undefined, 1000)";
  spawn(process.execPath, ['--eval', endless], { stdio: 'inherit' }).on('spawn', () => {
`;
const groups = { skip: process.platform === 'win32' && 'there are no process groups' };

test('what a check has started ends with it', groups, async (t) => {
  const late = await overdue(t, ['--eval', `${leaveOne} ${hang} });`]);
  assert.ok(late.isOverdue && late.code !== 0);
  const cwd = temporaryFolder(t);
  const left = await runStep(
    { args: ['--eval', `${leaveOne} process.exit(); });`], limitMs },
    { cwd },
  );
  assert.deepEqual([left.code, left.isOverdue], [0, false]);
  const killed = await runStep(
    { args: ['--eval', "process.kill(process.pid, 'SIGKILL')"], limitMs },
    { cwd },
  );
  assert.equal(killed.code, 1, 'whoever is killed has not passed');
});

test('a check that is interrupted ends, and what it has started', groups, async (t) => {
  const cwd = temporaryFolder(t);
  const controller = new AbortController();
  const step = { args: ['--eval', `${leaveOne} ${hang} });`], limitMs };
  const outcome = runStep(step, { cwd, signal: controller.signal });
  while (!existsSync(path.join(cwd, 'hanging'))) await delay(10);
  controller.abort();
  assert.equal((await outcome).code, 1);
});

test('one that ends in time is not held up', async (t) => {
  const cwd = temporaryFolder(t);
  const outcome = await runStep({ args: ['--eval', '1'], limitMs }, { cwd });
  assert.deepEqual([outcome.code, outcome.isOverdue, worthReading(outcome)], [0, false, '']);
  const failed: Outcome = { ...outcome, code: 1, output: 'a\n✖ failing tests:\nb\n' };
  assert.equal(worthReading(failed), '✖ failing tests:\nb');
});
