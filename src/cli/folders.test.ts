import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { platformDataFolder, resolveFolders } from './folders.ts';

const home = '/home/ann';

test('each platform keeps data where its users expect it', () => {
  const folder = (platform: NodeJS.Platform, env = {}): string =>
    platformDataFolder('altnet', { platform, env, home });
  assert.equal(folder('linux'), '/home/ann/.local/share/altnet');
  assert.equal(folder('linux', { XDG_DATA_HOME: '/data' }), '/data/altnet');
  assert.equal(folder('linux', { XDG_DATA_HOME: 'data' }), '/home/ann/.local/share/altnet');
  assert.equal(folder('darwin'), '/home/ann/Library/Application Support/altnet');
  const local = path.join('/local', 'altnet');
  assert.equal(folder('win32', { LOCALAPPDATA: '/local' }), local);
  assert.equal(folder('win32'), path.join(home, 'AppData', 'Local', 'altnet'));
});

test('folders that are given start from the working folder; keys live in the data', () => {
  const given = resolveFolders({ data: 'd', keydir: undefined, cwd: '/work' });
  assert.deepEqual(given, { data: '/work/d', keydir: '/work/d/keys' });
  const both = resolveFolders({ data: '/d', keydir: 'k', cwd: '/work' });
  assert.deepEqual(both, { data: '/d', keydir: '/work/k' });
  const none = resolveFolders({ data: undefined, keydir: undefined, cwd: '/work' });
  assert.ok(path.isAbsolute(none.data) && !none.data.startsWith('/work/'));
});
