/** Changes on real files: made, made again, broken off at any point, undone, and left where edited. */
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import {
  failWith,
  succeed,
  TestSystem,
  testSystem,
  type TestSystemOptions,
} from '../../../test/support/setup-system.ts';
import { applyPlan, type Change, inspectChange, undoChange } from './apply.ts';
import { command, describePlan, optional, type Plan } from './plan.ts';
import type { System } from './system.ts';

const around = {
  activate: [command('reload', 'all')],
  deactivate: [command('halt')],
  settle: [command('settle')],
};
const commandsOf = (variant: string): typeof around | undefined =>
  variant.startsWith('trial') ? around : undefined;

function planOf(content = 'ours\n'): Plan {
  return {
    variant: 'trial',
    files: [
      { path: '/etc/trial/new/a.conf', content, mode: 0o640 },
      { path: '/etc/shared.conf', content: `${content}theirs\n`, mode: 0o644, replaces: true },
    ],
    ...around,
  };
}

const programs = { reload: () => succeed(), halt: () => succeed(), settle: () => succeed() };

function begin(
  t: TestContext,
  options: TestSystemOptions = {},
): { system: TestSystem; change: Change } {
  const system = testSystem(t, { programs, ...options });
  system.put('/etc/shared.conf', 'theirs\n', 0o604);
  return { system, change: changeOf(system) };
}

function changeOf(system: System): Change {
  return { system, journal: '/etc/altnet/setup-trial.json', commandsOf };
}

test('a change is made once and undone to the last bit', async (t) => {
  const { system, change } = begin(t);
  const before = system.tree();
  assert.equal(await applyPlan(planOf(), change), true);
  const made = system.tree();
  assert.equal(made['/etc/trial/new/a.conf'], '640 ours\n');
  assert.equal(made['/etc/shared.conf'], '644 ours\ntheirs\n');
  assert.match(made['/etc/altnet/setup-trial.json'] ?? '', /^644 /);
  assert.deepEqual(system.ran, ['reload all']);
  assert.deepEqual(await inspectChange(system, change.journal), {
    state: 'made',
    variant: 'trial',
  });
  assert.equal(await applyPlan(planOf(), change), false, 'it is there already');
  assert.deepEqual(system.ran, ['reload all']);
  assert.deepEqual(system.tree(), made);
  assert.equal(await undoChange(change), true);
  assert.deepEqual(system.tree(), before);
  assert.deepEqual(system.ran, ['reload all', 'halt', 'settle']);
  assert.equal(await undoChange(change), false);
});

test('another change of the same kind takes the place of the first, and undoes to before both', async (t) => {
  const { system, change } = begin(t);
  const before = system.tree();
  await applyPlan(planOf('one\n'), change);
  assert.equal(await applyPlan(planOf('two\n'), change), true);
  assert.equal(system.tree()['/etc/shared.conf'], '644 two\ntheirs\n');
  await undoChange(change);
  assert.deepEqual(system.tree(), before);
});

test('a file that somebody edited stays, and is named, also when it is to be written again', async (t) => {
  const { system, change } = begin(t);
  await applyPlan(planOf(), change);
  system.put('/etc/trial/new/a.conf', 'ours, and mine\n');
  const edited = { code: 'SETUP_EDITED', details: { files: ['/etc/trial/new/a.conf'] } };
  assert.equal((await inspectChange(system, change.journal)).state, 'broken');
  await assert.rejects(applyPlan(planOf(), change), edited);
  await assert.rejects(applyPlan(planOf('other\n'), change), edited);
  await assert.rejects(undoChange(change), edited);
  const left = system.tree();
  assert.match(left['/etc/trial/new/a.conf'] ?? '', /ours, and mine/);
  assert.equal(left['/etc/shared.conf'], '604 theirs\n', 'the other one is back');
  await system.remove('/etc/trial/new/a.conf');
  assert.equal(await undoChange(change), true, 'once it is gone, so is the rest');
  assert.equal(system.tree()['/etc/altnet'], undefined);
  assert.equal(system.tree()['/etc/trial'], undefined);
});

test('a file of somebody else is not taken for ours', async (t) => {
  const { system, change } = begin(t);
  system.put('/etc/trial/new/a.conf', 'of another program\n');
  const before = system.tree();
  await assert.rejects(applyPlan(planOf(), change), { code: 'SETUP_EDITED' });
  assert.deepEqual(system.tree(), before);
});

test('one whose journal was lost is ours if it is the same', async (t) => {
  const { system, change } = begin(t);
  await applyPlan(planOf(), change);
  await system.remove(change.journal);
  system.put('/etc/shared.conf', 'theirs\n', 0o604);
  assert.equal(await applyPlan(planOf(), change), true);
  await undoChange(change);
  assert.equal(system.tree()['/etc/trial/new/a.conf'], undefined);
});

test('what a killed run wrote without a name yet goes with the rest', async (t) => {
  const { system, change } = begin(t);
  const before = system.tree();
  await applyPlan(planOf(), change);
  system.put('/etc/trial/new/a.conf.altnet-draft', 'half of it');
  await undoChange(change);
  assert.deepEqual(system.tree(), before);
});

test('a command that fails takes everything back, and says what it said', async (t) => {
  const { system, change } = begin(t, {
    programs: { ...programs, reload: () => failWith('\nno such unit\nmore\n') },
  });
  const before = system.tree();
  await assert.rejects(applyPlan(planOf(), change), {
    code: 'SETUP_FAILED',
    message: 'reload all: no such unit',
  });
  assert.deepEqual(system.tree(), before);
  assert.deepEqual(system.ran, ['reload all', 'halt', 'settle']);
  const welcome = { ...planOf(), activate: [optional(command('reload')), command('missing')] };
  await assert.rejects(applyPlan(welcome, change), /missing: the program is not there/);
  assert.deepEqual(system.tree(), before);
});

const hash = 'a'.repeat(64);

function journalText(file: object): string {
  const files = [file];
  return JSON.stringify({ version: 1, variant: 'trial', state: 'done', files, folders: [] });
}

test('what was not left by this program is not followed', async (t) => {
  const { system, change } = begin(t);
  const bad = [
    '',
    '[]',
    '{"version":2}',
    journalText({ path: 'relative', written: hash, before: null }),
    journalText({ path: '/etc/../x', written: hash, before: null }),
    journalText({ path: '/etc/x', written: 'short', before: null }),
    journalText({ path: '/etc/x', written: hash, before: { base64: 1, mode: 1 } }),
    JSON.stringify({ version: 1, variant: 'unknown', state: 'done', files: [], folders: [] }),
  ];
  for (const text of bad) {
    system.put(change.journal, text);
    await assert.rejects(undoChange(change), { code: 'SETUP_FAILED' }, text);
  }
});

describe('broken off', () => {
  class Killed extends Error {}

  /** Ends at its `count`th step, as a process that is killed there: nothing of it runs any more. */
  class MortalSystem extends TestSystem {
    steps: number = 0;
    readonly count: number;

    constructor(root: string, count: number) {
      super(root, { programs });
      this.count = count;
    }

    step(): void {
      if (++this.steps >= this.count) throw new Killed();
    }

    override async write(...given: Parameters<System['write']>): ReturnType<System['write']> {
      this.step();
      return super.write(...given);
    }

    override async remove(file: string): Promise<void> {
      this.step();
      return super.remove(file);
    }

    override async run(...given: Parameters<System['run']>): ReturnType<System['run']> {
      this.step();
      return super.run(...given);
    }
  }

  for (const next of ['undone', 'finished'] as const) {
    test(`after any step a change can be ${next}`, async (t) => {
      let count = 1;
      for (; ; count++) {
        const { system, change } = begin(t);
        const before = system.tree();
        const mortal = new MortalSystem(system.root, count);
        const isDone = await applyPlan(planOf(), changeOf(mortal)).catch((error: unknown) => {
          assert.ok(error instanceof Killed);
          return false;
        });
        if (isDone) break;
        if (next === 'finished') {
          await applyPlan(planOf(), change);
          assert.equal((await inspectChange(system, change.journal)).state, 'made', `${count}`);
        }
        await undoChange(change);
        assert.deepEqual(system.tree(), before, `after step ${count}`);
      }
      assert.ok(count > 5, 'it was broken off at every step');
    });
  }

  test('and so can taking it back', async (t) => {
    let count = 1;
    for (; ; count++) {
      const { system, change } = begin(t);
      const before = system.tree();
      await applyPlan(planOf(), change);
      const mortal = new MortalSystem(system.root, count);
      const isDone = await undoChange(changeOf(mortal)).catch((error: unknown) => {
        assert.ok(error instanceof Killed);
        return false;
      });
      if (!isDone) await undoChange(change);
      assert.deepEqual(system.tree(), before, `after step ${count}`);
      if (isDone) break;
    }
    assert.ok(count > 4);
  });
});

test('a plan is shown as it would be made', () => {
  const plan = { ...planOf(), activate: [command('reload', "it's", 'a b')] };
  assert.deepEqual(describePlan(plan), [
    'write /etc/trial/new/a.conf (mode 0640):',
    '    ours',
    'replace /etc/shared.conf (mode 0644):',
    '    ours',
    '    theirs',
    String.raw`run reload 'it'\''s' 'a b'`,
  ]);
});
