/** Whose claim on a folder holds, by what the name of its file says. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { temporaryFolder } from '../../test/support/cleanup.ts';
import { claimFolder, inspectClaims } from './claim.ts';

const skip: string | false = existsSync('/proc/self/stat') ? false : 'this system has no /proc';

/** When the process above this one started, as proc(5) says. */
function startOfParent(): string {
  const stat = readFileSync(`/proc/${process.ppid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

test('a process of that number and moment has it, also by another boot ID', { skip }, (t) => {
  const folder = temporaryFolder(t);
  const claim = `in-use-by-${process.ppid}-${startOfParent()}-deadbeef`;
  writeFileSync(path.join(folder, claim), '');
  assert.deepEqual(inspectClaims(folder), { living: process.ppid, afterCrash: false });
  assert.throws(() => claimFolder(folder), { code: 'STORE_LOCKED' });
  assert.deepEqual(readdirSync(folder), [claim]);
});

test('a process of another moment, or this one at another boot, has not', { skip }, (t) => {
  const folder = temporaryFolder(t);
  const own = claimFolder(folder);
  const [file = ''] = readdirSync(folder);
  own.release();
  const gone = [`in-use-by-${process.ppid}-1-deadbeef`, file.replace(/[^-]+$/, 'deadbeef')];
  for (const name of gone) writeFileSync(path.join(folder, name), '');
  assert.deepEqual(inspectClaims(folder), { living: undefined, afterCrash: true });
  const again = claimFolder(folder);
  assert.equal(again.afterCrash, true);
  assert.deepEqual(readdirSync(folder), [file]);
  again.release();
});
