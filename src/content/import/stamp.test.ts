import assert from 'node:assert/strict';
import { statSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../../test/support/cleanup.ts';
import { FolderStamp, isSettled, SaidOfFiles, saysOf, stampBytes, stampOf } from './stamp.ts';

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

test('what is said of many files is kept apart', (t) => {
  const file = path.join(temporaryFolder(t), 'x');
  writeFileSync(file, 'one');
  const stats = statSync(file, { bigint: true });
  const said = new SaidOfFiles();
  for (let i = 0; i < 200; i++) said.add({ ...stats, size: BigInt(i) });
  const other = new SaidOfFiles();
  for (let i = 100; i < 200; i++) other.add({ ...stats, size: BigInt(i) });
  assert.equal(said.hashFrom(100), other.hashFrom(0));
  assert.notEqual(said.hashFrom(99), other.hashFrom(0));
  assert.equal(said.saysOf(150), saysOf({ ...stats, size: 150n }));
  assert.equal(said.bytesOf(150), 150);
  said.dropFrom(1);
  said.add(stats);
  assert.deepEqual([said.count, said.saysOf(1), said.bytesOf(1)], [2, saysOf(stats), 3]);
});

function stampWith(change: number, count: number): string {
  const stamp = new FolderStamp('/site');
  for (let i = 0; i < count; i++) stamp.addFile(i === change ? 'other' : `name ${i}`);
  return stamp.finish('said');
}

test('the stamp of a folder tells apart what is in it, however much that is', () => {
  for (const count of [1, 10_000]) {
    const stamps = [-1, 0, count - 1].map((change) => stampWith(change, count));
    assert.equal(new Set(stamps).size, count === 1 ? 2 : 3);
    assert.equal(stampWith(-1, count), stamps[0]);
    assert.equal(stamps[0]?.length, stampBytes);
  }
  const [file, folder] = [new FolderStamp('/site'), new FolderStamp('/site')];
  file.addFile('x');
  folder.addFolder('x', '');
  assert.notEqual(file.finish('said'), folder.finish('said'));
  assert.notEqual(new FolderStamp('/a').finish('said'), new FolderStamp('/b').finish('said'));
  assert.notEqual(new FolderStamp('/a').finish('said'), new FolderStamp('/a').finish('more'));
});
