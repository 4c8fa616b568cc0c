import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { atEnd, temporaryFolder } from '../../test/support/cleanup.ts';
import { quietNode, startShortLived } from './connect.ts';
import { isAltNetError } from '../base/errors.ts';
import { startNode } from '../node/node.ts';

test('a short-lived node keeps its first keys only where it found a network', async (t) => {
  const folder = temporaryFolder(t);
  const data = mkdtempSync(path.join(folder, 'other-'));
  const keydir = path.join(data, 'keys');
  const listen = '127.0.0.1:0';
  const common = { ...quietNode, bootstrap: [], network: 'local', public: true } as const;
  const other = await startNode({ ...common, listen, data, keydir });
  atEnd(t, () => other.stop());
  const own = path.join(folder, 'own');
  const options = {
    folders: { data: own, keydir: path.join(own, 'keys') },
    bootstrap: [other.ready.listen],
    network: 'local',
    signal: new AbortController().signal,
  } as const;
  await assert.rejects(startShortLived({ ...options, bootstrap: ['127.0.0.1:9'] }), (error) =>
    isAltNetError(error, 'UNREACHABLE'),
  );
  assert.deepEqual(readdirSync(folder), [path.basename(data)], 'nothing was left');
  const authors: string[] = [];
  for (let i = 0; i < 2; i += 1) {
    const connection = await startShortLived(options);
    authors.push(connection.services.keys().author);
    await connection.close();
  }
  assert.equal(authors[0], authors[1]);
  assert.deepEqual(readdirSync(options.folders.keydir).toSorted(), ['author.key', 'node.key']);
  const { mode } = statSync(path.join(options.folders.keydir, 'author.key'));
  assert.equal(mode & 0o077, 0);
  rmSync(own, { recursive: true });
});
