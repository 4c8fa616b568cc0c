import assert from 'node:assert/strict';
import { existsSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../test/support/cleanup.ts';
import { draftOf, removeOldDrafts } from './export-drafts.ts';

test('what a killed export left is removed when nobody writes it, and nothing else', async (t) => {
  const folder = temporaryFolder(t);
  const target = path.join(folder, 'site');
  const old = new Date(Date.now() - 3_700_000);
  const make = (name: string, file?: { recent: boolean }): string => {
    const at = path.join(folder, name);
    mkdirSync(path.join(at, 'a'), { recursive: true });
    const inside = path.join(at, 'a', 'file');
    writeFileSync(inside, 'x');
    const all = [path.join(at, 'a'), at];
    for (const each of file?.recent ? all : [inside, ...all]) utimesSync(each, old, old);
    return at;
  };
  const left = draftOf(target);
  make(path.basename(left));
  const file = `${target}.0123456789ab.part`;
  writeFileSync(file, 'one file');
  utimesSync(file, old, old);
  const written = make('site.aaaaaaaaaaaa.part', { recent: true });
  const others = [
    make('site'),
    make('site.part'),
    make('site.0123456789AB.part'),
    make('site.0123456789abc.part'),
    make('site.0123456789ab.part.bak'),
    make('other.0123456789ab.part'),
    make('site.x.0123456789ab.part'),
  ];
  symlinkSync(others[0] ?? '', `${target}.bbbbbbbbbbbb.part`);
  await removeOldDrafts(target);
  assert.deepEqual([left, file].map(existsSync), [false, false]);
  assert.ok(existsSync(written), 'somebody is writing it');
  assert.deepEqual(
    others.filter((at) => !existsSync(path.join(at, 'a/file'))),
    [],
  );
  await removeOldDrafts(path.join(folder, 'nowhere/site'));
});
