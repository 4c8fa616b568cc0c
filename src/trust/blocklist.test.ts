import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { test, type TestContext } from 'node:test';
import { CID } from 'multiformats/cid';
import { atEnd, temporaryFolder } from '../../test/support/cleanup.ts';
import { manualWorld } from '../../test/support/manual-world.ts';
import { silentLogger } from '../base/logger.ts';
import { Blocklist } from './blocklist.ts';

const { random } = manualWorld();
const cid = 'bafybeihvvulpp4evxj7x7armbqcyg6uezzuig6jp3lktpbovlqfkuqeuoq';
const hash = CID.parse(cid).multihash.digest;
/** The format's example of a double hash, and what it is of. */
const doubled = '//QmX9dhRcQcKUw3Ws8485T5a9dtjrSCQaUAHnG4iK9i4ceM';
const hidden = 'bafybeidjwik6im54nrpfg7osdvmx7zojl5oaxqel5cmsz46iuelwf5acja';

interface Opened {
  readonly list: Blocklist;
  readonly file: string;
  readonly read: () => string;
  readonly told: () => number;
}

async function open(t: TestContext, content?: string): Promise<Opened> {
  const file = path.join(temporaryFolder(t), 'blocklist.txt');
  if (content !== undefined) writeFileSync(file, content);
  const list = new Blocklist(file, { random, log: silentLogger });
  atEnd(t, () => list.stop());
  await list.start();
  let told = 0;
  list.onChange(() => told++);
  return { list, file, read: () => readFileSync(file, 'utf8'), told: () => told };
}

/** The lines of a fresh reading must mean what the list in force says. */
async function sameAfterRestart({ list, file }: Opened): Promise<void> {
  const again = new Blocklist(file, { random, log: silentLogger });
  await again.start();
  assert.deepEqual(await again.content(), await list.content());
  for (const name of ['alice', 'bob', 'carol']) {
    assert.equal(again.isNameBlocked(name), list.isNameBlocked(name), name);
  }
  for (const root of [cid, hidden]) {
    const digest = CID.parse(root).multihash.digest;
    assert.equal(again.isBlockBlocked(digest), list.isBlockBlocked(digest), root);
  }
  await again.stop();
}

test('blocking writes a line, and counts at once', async (t) => {
  const opened = await open(t);
  const { list, read, told } = opened;
  assert.equal(list.isBlockBlocked(hash), false);
  const change = await list.block(cid, 'no good');
  assert.deepEqual(change, { entry: `/ipfs/${cid}`, changed: true });
  assert.equal(list.isBlockBlocked(hash), true);
  assert.equal(told(), 1);
  assert.match(read(), new RegExp(`^#.*\n/ipfs/${cid} note:no%20good\n$`));
  const again = await list.block(CID.parse(cid).toV0().toString());
  assert.deepEqual(again, { entry: `/ipfs/${cid}`, changed: false });
  await list.block('alice');
  await list.block('https://dead.example/');
  assert.equal(list.isNameBlocked('alice'), true);
  assert.equal(list.isUrlBlocked('//dead.example/'), true);
  assert.equal(told(), 3);
  await sameAfterRestart(opened);
});

test('everything else in the file stays as it is', async (t) => {
  const head = `version: 1\nname: x\n---\n# first\r\n/name/alice  a:b\r\nnonsense\n\n`;
  const opened = await open(t, `${head}/name/bob\n!/name/carol\n\xff no end`);
  const { list, read } = opened;
  await list.block('dave');
  const whole = `${head}/name/bob\n!/name/carol\n\xff no end\n/name/dave.alt\n`;
  assert.equal(read(), whole);
  await list.unblock('bob');
  assert.equal(read(), whole.replace('/name/bob\n', ''));
  assert.deepEqual(
    (await list.content()).bad.map(({ line }) => line),
    [6, 9],
    'the number of a line below moves up',
  );
  await sameAfterRestart(opened);
});

test('unblocking takes all lines of the same meaning', async (t) => {
  const opened = await open(t, `/name/alice\n/name/bob\n/ipns/Alice.alt/* x:y\n/name/alice`);
  const { list, read } = opened;
  assert.deepEqual(await list.unblock('alice'), { entry: '/name/alice.alt', changed: true });
  assert.equal(read(), '/name/bob\n');
  assert.equal(list.isNameBlocked('alice'), false);
  assert.deepEqual(await list.unblock('alice'), { entry: '/name/alice.alt', changed: false });
  assert.equal((await list.content()).count, 1);
  await sameAfterRestart(opened);
});

test('what another line denies as well gets an exception', async (t) => {
  const opened = await open(t, `${doubled}\n/ipfs/${cid}/a*\n`);
  const { list, read } = opened;
  const digest = CID.parse(hidden).multihash.digest;
  assert.equal(list.isBlockBlocked(digest), true);
  assert.deepEqual(await list.unblock(hidden), { entry: `/ipfs/${hidden}`, changed: true });
  assert.equal(list.isBlockBlocked(digest), false);
  await list.unblock(`/ipfs/${cid}/a/b`);
  assert.equal(list.isPathBlocked(hash, 'a/b'), false);
  assert.equal(list.isPathBlocked(hash, 'a/c'), true);
  assert.equal(read(), `${doubled}\n/ipfs/${cid}/a*\n!/ipfs/${hidden}\n!/ipfs/${cid}/a/b\n`);
  await list.block(hidden);
  assert.equal(list.isBlockBlocked(digest), true, 'the last line decides');
  await sameAfterRestart(opened);
});

test('a line that an exception undoes is taken with what it leaves', async (t) => {
  const opened = await open(t, '/name/alice\n!/name/alice\n/name/alice\n');
  const { list, read } = opened;
  assert.deepEqual(await list.unblock('alice'), { entry: '/name/alice.alt', changed: true });
  assert.equal(read(), '!/name/alice\n');
  await sameAfterRestart(opened);
});

test('a path below a blocked root cannot be allowed alone', async (t) => {
  const { list, read } = await open(t, `/ipfs/${cid}\n`);
  await assert.rejects(list.unblock(`/ipfs/${cid}/a`), {
    code: 'BAD_ARGUMENT',
    message: /its root/,
  });
  assert.equal(read(), `/ipfs/${cid}\n`);
});

test('many changes at once all come to pass', async (t) => {
  const opened = await open(t, '/name/alice\n');
  const names = Array.from({ length: 20 }, (_, i) => `name${i}`);
  await Promise.all([
    ...names.map((name) => opened.list.block(name)),
    opened.list.unblock('alice'),
  ]);
  assert.deepEqual(
    (await opened.list.content()).entries.toSorted(),
    names.map((name) => `/name/${name}.alt`).toSorted(),
  );
  await sameAfterRestart(opened);
});

test('what somebody else wrote meanwhile stays', async (t) => {
  const opened = await open(t, '/name/alice\n');
  writeFileSync(opened.file, '/name/alice\n/name/bob\n');
  await opened.list.block('carol'); // before any look
  assert.equal(opened.read(), '/name/alice\n/name/bob\n/name/carol.alt\n');
  assert.equal(opened.list.isNameBlocked('bob'), true);
  await sameAfterRestart(opened);
});

test('no draft is left, the mode stays, and a symbolic link stays one', async (t) => {
  if (process.platform === 'win32') return;
  const { file, list } = await open(t, '/name/alice\n/name/bob\n');
  await list.unblock('alice');
  await list.block('carol');
  const folder = path.dirname(file);
  assert.deepEqual(readdirSync(folder), ['blocklist.txt']);
  assert.equal(statSync(file).mode & 0o777, 0o666 & ~process.umask());
  const linked = path.join(temporaryFolder(t), 'blocklist.txt');
  symlinkSync(file, linked);
  const other = new Blocklist(linked, { random, log: silentLogger });
  await other.start();
  await other.block('dave');
  await other.stop();
  assert.match(readFileSync(file, 'utf8'), /\/name\/dave\.alt\n$/);
  assert.deepEqual(readdirSync(folder), ['blocklist.txt']);
});

test('what cannot be blocked changes nothing', async (t) => {
  const { list, read, told } = await open(t, '/name/alice\n');
  await assert.rejects(async () => list.block('-'), { code: 'BAD_NAME' });
  await assert.rejects(async () => list.block('bob', 'x'.repeat(201)), { code: 'BAD_ARGUMENT' });
  const long = `/ipfs/${cid}/${'a'.repeat(5000)}`;
  await assert.rejects(async () => list.block(long), { code: 'BAD_ARGUMENT', message: /4096/ });
  assert.deepEqual([read(), told()], ['/name/alice\n', 0]);
});

test('the first 10,000 entries are shown, all are counted', async (t) => {
  const names = Array.from({ length: 10_050 }, (_, i) => `/name/n${i}\n`);
  const { list } = await open(t, `# x\n${names.join('')}/ipns/domain.example\n`);
  const { entries, count, foreignCount } = await list.content();
  assert.deepEqual([entries.length, count, foreignCount], [10_000, 10_050, 1]);
  assert.equal(entries[9999], '/name/n9999');
});
