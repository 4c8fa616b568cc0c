import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BuiltFiles } from './built-files.ts';
import type { ReadFile } from './read-files.ts';
import type { ScannedFile } from './scanned.ts';

function fileOf(n: number): ScannedFile {
  return { kind: 'file', name: `${n}`, path: `/site/${n}`, bytes: n, says: `says ${n}` };
}

function resultOf(n: number): ReadFile {
  const depth = 1 + (n % 3);
  const codec = depth === 1 ? 'raw' : 'dag-pb';
  const hash = Buffer.alloc(32);
  hash.writeUInt32BE(n);
  // Some became others while they were read, some may change again unseen; one is huge.
  const says = n % 7 === 0 ? 'something else' : `says ${n}`;
  const size = n === 5 ? 2 ** 45 : n;
  return { built: { codec, hash, total: size + 100, size, depth }, says, settled: n % 5 !== 0 };
}

test('what files were made into comes back as it was', () => {
  const files = Array.from({ length: 2500 }, (_, n) => fileOf(n));
  const built = new BuiltFiles();
  for (const [n, file] of files.entries()) built.add(file, resultOf(n));
  for (const [n, file] of files.entries()) assert.deepEqual(built.get(file), resultOf(n));
  assert.equal(built.get(fileOf(1)), undefined, 'another object is another file');
  const bytes = files.reduce((sum, _, n) => sum + resultOf(n).built.size, 0);
  assert.deepEqual(built.done, { files: 2500, bytes });
});
