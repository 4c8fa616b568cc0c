import assert from 'node:assert/strict';
import { statSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../../test/support/cleanup.ts';
import { FolderStamp, isSettled, saysOf, stampBytes, stampOf } from './stamp.ts';

test('a change shows also when size and time of modification are set back', (t) => {
  const file = path.join(temporaryFolder(t), 'x');
  const stampNow = (): string => stampOf(file, saysOf(statSync(file, { bigint: true })));
  writeFileSync(file, 'one');
  utimesSync(file, 1000, 1000);
  const before = stampNow();
  let after = before;
  // The clock by which the system stamps files takes a moment to tick.
  while (after === before) {
    writeFileSync(file, 'two');
    utimesSync(file, 1000, 1000);
    after = stampNow();
  }
  assert.notEqual(after, before);
});

test('what was changed a moment before it is read is not trusted', (t) => {
  const file = path.join(temporaryFolder(t), 'x');
  writeFileSync(file, 'one');
  const stats = statSync(file, { bigint: true });
  const fine = { ...stats, mtimeNs: 5_000_000_001n, ctimeNs: 5_000_000_001n };
  assert.equal(isSettled(fine, 5000), false);
  assert.equal(isSettled(fine, 5100), false);
  assert.equal(isSettled(fine, 5200), true);
  assert.equal(isSettled({ ...fine, mtimeNs: 9_000_000_000n }, 5200), false);
  // Whole seconds: a file system that counts no finer.
  const coarse = { ...stats, mtimeNs: 5_000_000_000n, ctimeNs: 5_000_000_000n };
  assert.equal(isSettled(coarse, 7000), false);
  assert.equal(isSettled(coarse, 9001), true);
});

function stampWith(change: number, count: number): string {
  const stamp = new FolderStamp('/site');
  for (let i = 0; i < count; i++) stamp.addFile(`name ${i}`, i === change ? 'other' : '1:2:3:4:5');
  return stamp.finish();
}

test('the stamp of a folder tells apart what is in it, however much that is', () => {
  for (const count of [1, 10_000]) {
    const stamps = [-1, 0, count - 1].map((change) => stampWith(change, count));
    assert.equal(new Set(stamps).size, count === 1 ? 2 : 3);
    assert.equal(stampWith(-1, count), stamps[0]);
    assert.equal(stamps[0]?.length, stampBytes);
  }
  const [file, folder] = [new FolderStamp('/site'), new FolderStamp('/site')];
  file.addFile('x', 'same');
  folder.addFolder('x', 'same');
  assert.notEqual(file.finish(), folder.finish());
  assert.notEqual(new FolderStamp('/a').finish(), new FolderStamp('/b').finish());
});
