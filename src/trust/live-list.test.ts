import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { atEnd, temporaryFolder } from '../../test/support/cleanup.ts';
import { silentLogger } from '../base/logger.ts';
import { stampOf } from './list-file.ts';
import { type ListForm, LiveList } from './live-list.ts';

/** A list whose file is written to while it is read, so many times. */
function writtenMeanwhile(): { form: ListForm<string>; left: number; reads: number } {
  const state = {
    left: 0,
    reads: 0,
    form: {
      empty: '',
      async load(file: string) {
        state.reads++;
        const stamp = await stampOf(file);
        const loaded = readFileSync(file, 'utf8');
        if (state.left-- > 0) appendFileSync(file, '+');
        return { loaded, stamp };
      },
      isSame: (before: string, after: string) => before === after,
      report: () => undefined,
    },
  };
  return state;
}

function startIn(t: TestContext, form: ListForm<string>): { list: LiveList<string>; file: string } {
  const file = path.join(temporaryFolder(t), 'list.txt');
  const list = new LiveList(file, form, silentLogger);
  atEnd(t, () => list.stop());
  return { list, file };
}

test('what is written while it is read does not count before it is whole', async (t) => {
  const written = writtenMeanwhile();
  const { list, file } = startIn(t, written.form);
  writeFileSync(file, 'one');
  written.left = 2;
  await list.start();
  assert.deepEqual([list.list, written.reads], ['one++', 3], 'the start waits for all of it');

  writeFileSync(file, 'two');
  written.left = 1;
  await list.look();
  assert.equal(list.list, 'one++', 'what was read before stays');
  await list.look();
  assert.equal(list.list, 'two+');
});

test('a file that is written all the time counts as it is', async (t) => {
  const written = writtenMeanwhile();
  const { list, file } = startIn(t, written.form);
  writeFileSync(file, 'one');
  written.left = Number.POSITIVE_INFINITY;
  await list.start();
  assert.equal(list.list, 'one++++');
});

test('a symbolic link that leads nowhere is no missing file', async (t) => {
  const { file } = startIn(t, writtenMeanwhile().form);
  assert.equal(await stampOf(file), undefined);
  symlinkSync(`${file}.elsewhere`, file);
  await assert.rejects(stampOf(file), { code: 'LIST_UNREADABLE' });
  writeFileSync(`${file}.elsewhere`, '');
  assert.equal(typeof (await stampOf(file)), 'string');
});
