import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { makeFolders, makeFoldersNow } from './folders.ts';

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'altnet-folders-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

const ways = {
  makeFolders,
  // oxlint-disable-next-line typescript/require-await -- rejects where the other one throws
  makeFoldersNow: async (folder: string, mode?: number): Promise<void> =>
    makeFoldersNow(folder, mode),
};

for (const [name, make] of Object.entries(ways)) {
  test(`${name} makes what is missing, and leaves what is there`, async (t) => {
    const top = temporaryFolder(t);
    const folder = path.join(top, 'a', 'b', 'c');
    await make(folder, 0o700);
    assert.equal(statSync(path.join(top, 'a')).mode & 0o777, 0o700);
    await make(folder, 0o755);
    assert.equal(statSync(folder).mode & 0o777, 0o700);
    symlinkSync(folder, path.join(top, 'link'));
    await make(path.join(top, 'link'));
    await make(path.join(top, 'link', 'd') + path.sep);
    assert.ok(existsSync(path.join(folder, 'd')));
    await make('/');
  });

  test(`${name} says what is in the way`, async (t) => {
    const top = temporaryFolder(t);
    writeFileSync(path.join(top, 'file'), '');
    symlinkSync(path.join(top, 'nowhere'), path.join(top, 'dangling'));
    await assert.rejects(make(path.join(top, 'file')), { code: 'EEXIST' });
    await assert.rejects(make(path.join(top, 'file', 'x', 'y')), { code: 'ENOTDIR' });
    await assert.rejects(make(path.join(top, 'dangling')), { code: 'EEXIST' });
    await assert.rejects(make(path.join(top, 'x'.repeat(300))), { code: 'ENAMETOOLONG' });
  });

  const skip = existsSync('/proc/self') ? false : 'there is no /proc here';
  test(`${name} ends where the system makes no folder, at any depth`, { skip }, async () => {
    await assert.rejects(make('/proc/altnet'), { code: 'ENOENT' });
    await assert.rejects(make('/proc/altnet/a/b'), { code: 'ENOENT' });
  });
}
