/**
 * What users get wrong: each gives one line that names the thing, the right exit code, and loses
 * nothing.
 */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { type TestContext, test } from 'node:test';
import { temporaryFolder } from '../support/cleanup.ts';
import {
  altnet,
  type ClusterNode,
  guideFolder,
  type Outcome,
  runProgram,
  startNode,
  tryAltnet,
} from '../support/cluster.ts';

/** One line of JSON on standard error with this code, nothing on standard output. */
function assertFailure(outcome: Outcome, code: string, exitCode: number): string {
  const about = JSON.stringify(outcome);
  assert.equal(outcome.stdout, '', about);
  assert.match(outcome.stderr, /^[^\n]+\n$/, about);
  const said = JSON.parse(outcome.stderr) as { code: string; error: string };
  assert.equal(said.code, code, about);
  assert.equal(outcome.code, exitCode, about);
  return said.error;
}

const goodRoot = 'ab'.repeat(32);
const badNames = ['a'.repeat(64), 'under_score', 'dash-', 'gns', 'i2p', 'localhost', 'a b'];

/** Words, the code of the error, and a part of the sentence: what was wrong is named. */
const wrongWords: readonly [words: string[], code: string, names: string][] = [
  [['frobnicate'], 'USAGE', 'frobnicate'],
  [['publish', guideFolder, '--nmae', 'x'], 'USAGE', '--nmae'],
  [['publish'], 'USAGE', 'path'],
  [['bootstrap', 'nowhere'], 'BAD_ADDRESS', 'nowhere'],
  [['update', 'hello', 'no-root'], 'BAD_ROOT', 'no-root'],
  [['get', 'abc'], 'USAGE', 'abc'],
  [['link', 'put', 'ftp://dead.example/x', 'https://m.example/'], 'BAD_URL', 'ftp://'],
  [
    ['link', 'put', 'http://user:pw@dead.example/', 'https://m.example/'],
    'BAD_URL',
    'dead.example',
  ],
  [['link', 'get', 'http://'], 'BAD_URL', 'http://'],
  ...badNames.map(
    (name) => [['register', name, goodRoot], 'BAD_NAME', name] as [string[], string, string],
  ),
];

test('wrong words are refused with exit code 2', async (t) => {
  const node = await startNode(t, { name: 'A' });
  for (const [words, code, names] of wrongWords) {
    const sentence = assertFailure(await tryAltnet(node, ...words), code, 2);
    assert.ok(sentence.includes(names), `${sentence} names ${names}`);
  }
  const plain = await runProgram(['publish', '--nmae', 'x', '--data', node.data]);
  assert.equal(plain.code, 2);
  assert.match(plain.stderr, /^altnet: [^\n]*--nmae[^\n]*\n$/);
  await t.test('an empty name', async () => {
    assertFailure(await tryAltnet(node, 'register', '', goodRoot), 'BAD_NAME', 2);
  });
  await t.test('half a command', async () => {
    assert.match(assertFailure(await tryAltnet(node, 'link'), 'USAGE', 2), /link put/);
  });
  assert.equal((await altnet(node, 'stats'))['node'], node.ready.node);
});

/** Makes a folder that cannot be published. */
type Spoil = (folder: string) => void;

const badFolders: readonly [what: string, code: string, spoil: Spoil][] = [
  ['a missing folder', 'PATH_MISSING', (folder) => rmSync(folder, { recursive: true })],
  ['an empty folder', 'FOLDER_EMPTY', () => undefined],
  [
    'a folder of hidden files',
    'FOLDER_EMPTY',
    (folder) => writeFileSync(path.join(folder, '.hidden'), 'x'),
  ],
  [
    'a link that leads to itself',
    'PATH_UNSUPPORTED',
    (folder) => {
      writeFileSync(path.join(folder, 'index.html'), 'x');
      symlinkSync('loop', path.join(folder, 'loop'));
    },
  ],
  [
    'a folder that contains itself through a link',
    'PATH_UNSUPPORTED',
    (folder) => {
      writeFileSync(path.join(folder, 'index.html'), 'x');
      symlinkSync('..', path.join(folder, 'up'));
    },
  ],
  [
    'a file name that is not UTF-8',
    'PATH_UNSUPPORTED',
    (folder) => {
      const name = Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff, 0xfe])]);
      writeFileSync(name, 'x');
    },
  ],
];

test('folders that cannot be published', async (t) => {
  const node = await startNode(t, { name: 'A' });
  for (const [what, code, spoil] of badFolders) {
    await t.test(what, async (subtest) => {
      const folder = path.join(temporaryFolder(subtest), 'site');
      mkdirSync(folder);
      spoil(folder);
      const sentence = assertFailure(await tryAltnet(node, 'publish', folder), code, 1);
      assert.ok(sentence.includes('site'), sentence);
    });
  }
  await t.test('a file that may not be read', { skip: isRoot() }, async (subtest) => {
    const folder = temporaryFolder(subtest);
    writeFileSync(path.join(folder, 'index.html'), 'x');
    writeFileSync(path.join(folder, 'locked.txt'), 'x', { mode: 0o000 });
    assertFailure(await tryAltnet(node, 'publish', folder), 'PATH_UNREADABLE', 1);
  });
});

/** Root may read everything, so that case cannot be made for it. */
function isRoot(): string | false {
  return process.getuid?.() === 0 ? 'root may read every file' : false;
}

function tryStart(data: string, ...options: string[]): Promise<Outcome> {
  const addresses = [
    '--listen',
    '127.0.0.1:0',
    '--gateway',
    '127.0.0.1:0',
    '--registrar',
    '127.0.0.1:0',
  ];
  const words = ['start', '--headless', '--json', '--network', 'local', '--data', data];
  return runProgram([...words, ...addresses, ...options]);
}

/** A data folder that a node has used and left. */
async function usedFolder(t: TestContext): Promise<ClusterNode> {
  const node = await startNode(t, { name: 'used' });
  assert.equal(await node.end(), 0);
  return node;
}

test('a start that cannot succeed says why and ends with exit code 1', async (t) => {
  await t.test('a port that is taken', async (subtest) => {
    const node = await startNode(subtest, { name: 'A' });
    const data = temporaryFolder(subtest);
    for (const option of ['listen', 'gateway', 'registrar'] as const) {
      const address = node.ready[option];
      const outcome = await tryStart(data, `--${option}`, address);
      assert.ok(assertFailure(outcome, 'PORT_TAKEN', 1).includes(address));
    }
  });

  await t.test('a data folder that another node uses', async (subtest) => {
    const node = await startNode(subtest, { name: 'A' });
    assertFailure(await tryStart(node.data), 'STORE_LOCKED', 1);
    assert.equal((await altnet(node, 'stats'))['node'], node.ready.node);
  });

  await t.test('an address that is none', async (subtest) => {
    const outcome = await tryStart(temporaryFolder(subtest), '--listen', 'nonsense');
    assert.ok(assertFailure(outcome, 'USAGE', 2).includes('nonsense'));
  });

  await t.test('a damaged key, and then the restored one', async (subtest) => {
    const node = await usedFolder(subtest);
    const file = path.join(node.data, 'keys', 'author.key');
    const key = readFileSync(file);
    writeFileSync(file, 'not a key');
    assert.ok(assertFailure(await tryStart(node.data), 'KEY_DAMAGED', 1).includes(file));
    writeFileSync(file, key);
    const restored = await startNode(subtest, { name: 'restored', data: node.data });
    assert.equal(restored.ready.author, node.ready.author);
  });

  await t.test('a damaged database, and then the restored one', async (subtest) => {
    const node = await usedFolder(subtest);
    const file = path.join(node.data, 'store', 'index.mdb');
    const database = readFileSync(file);
    writeFileSync(
      file,
      database.map((byte) => byte ^ 0x55),
    );
    assert.ok(assertFailure(await tryStart(node.data), 'STORE_DAMAGED', 1).includes(node.data));
    writeFileSync(file, database);
    const restored = await startNode(subtest, { name: 'restored', data: node.data });
    assert.equal(restored.ready.node, node.ready.node);
  });

  await t.test('a key that others can read', async (subtest) => {
    const node = await usedFolder(subtest);
    const file = path.join(node.data, 'keys', 'author.key');
    chmodSync(file, 0o644);
    assert.ok(assertFailure(await tryStart(node.data), 'KEY_EXPOSED', 1).includes(file));
  });
});

test('a command without a node says how to start one', async (t) => {
  const outcome = await runProgram(['names', '--json', '--data', temporaryFolder(t)]);
  assert.match(assertFailure(outcome, 'NO_NODE', 1), /altnet start/);
});
