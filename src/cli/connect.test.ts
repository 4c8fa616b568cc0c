import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { atEnd, temporaryFolder } from '../../test/support/cleanup.ts';
import { quietNode, startShortLived } from './connect.ts';
import { isAltNetError } from '../base/errors.ts';
import { type RunningNode, startNode } from '../node/node.ts';

async function startOther(t: TestContext, folder: string): Promise<RunningNode & { data: string }> {
  const data = mkdtempSync(path.join(folder, 'other-'));
  const keydir = path.join(data, 'keys');
  const listen = '127.0.0.1:0';
  const common = { ...quietNode, bootstrap: [], network: 'local', public: true } as const;
  const other = await startNode({ ...common, listen, data, keydir });
  atEnd(t, () => other.stop());
  return { ...other, data };
}

test('a short-lived node keeps its first keys only where it found a network', async (t) => {
  const folder = temporaryFolder(t);
  const other = await startOther(t, folder);
  const { data } = other;
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

test('what a command fetched before it was stopped serves the next one', async (t) => {
  const folder = temporaryFolder(t);
  const other = await startOther(t, folder);
  const site = path.join(folder, 'site');
  mkdirSync(site);
  writeFileSync(path.join(site, 'index.html'), 'hello');
  const { root } = await other.services.publish({ path: site });
  const data = path.join(folder, 'own');
  const unfinished = path.join(data, 'unfinished');
  const options = {
    folders: { data, keydir: path.join(data, 'keys') },
    bootstrap: [other.ready.listen],
    network: 'local',
    signal: new AbortController().signal,
    resumes: true,
  } as const;
  const idle = await startShortLived(options);
  await idle.close({ unfinished: true });
  assert.ok(!existsSync(unfinished), 'nothing came');

  const stopped = await startShortLived(options);
  assert.equal(
    (await stopped.services.fetch({ what: root, dest: path.join(folder, 'a') })).peers,
    1,
  );
  await stopped.close({ unfinished: true });
  await assert.rejects(startShortLived({ ...options, signal: AbortSignal.abort() }));
  const next = await startShortLived(options);
  const beside = await startShortLived(options); // at the same time, and so without that
  assert.deepEqual(await beside.services.sites(), []);
  await beside.close();
  const { peers } = await next.services.fetch({ what: root, dest: path.join(folder, 'b') });
  assert.equal(peers, 0, 'all was there');
  await next.close();
  assert.deepEqual(readdirSync(data), ['keys'], 'and nothing is left of it');
});
