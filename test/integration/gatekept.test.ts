/**
 * A network with gatekeepers, as real processes: a registrar who says whose names resolve, a revoker
 * who says what is not to be had, members who go by both, and outsiders who go by nobody. One
 * network for all of it, as a revoker signs once a minute: what comes between two lists happens
 * while the second one is waited for.
 */
import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { test, type TestContext } from 'node:test';
import { parseHex } from '../../src/base/bytes.ts';
import { parseRecord, type SignedRecord } from '../../src/record/envelope.ts';
import { revocationsKey } from '../../src/record/revocations.ts';
import { temporaryFolder } from '../support/cleanup.ts';
import {
  altnet,
  type ClusterNode,
  eventually,
  runProgram,
  servicesOf,
  startNode,
  tryAltnet,
} from '../support/cluster.ts';
import { RawPeer } from '../support/denied/raw-peer.ts';
import {
  badLines,
  blocksHeldBy,
  fetchBy,
  type GatekeptNet,
  isGone,
  makeSite,
  open,
  publishSite,
  type PublishedSite,
  startGatekeptNet,
  targetOf,
  trustingFolder,
  withinMinute,
} from '../support/gatekept-net.ts';

/** The code of the failure of a command, which must fail with exit code 1. */
async function failureOf(node: ClusterNode, ...words: string[]): Promise<unknown> {
  const { code, stderr } = await tryAltnet(node, ...words);
  assert.equal(code, 1, stderr);
  return (JSON.parse(stderr) as { code?: unknown }).code;
}

/** A site of the first outsider under a name that the registrar has given it. */
async function publishCertified(
  t: TestContext,
  { registrar, outsiders: [author] }: GatekeptNet,
  name: string,
): Promise<PublishedSite> {
  const owner = author.ready.authorPublicKey;
  const { certificate } = await altnet(registrar, 'registrar', 'certify', name, owner);
  const words = ['--name', name, '--certificate', String(certificate)];
  return publishSite(author, makeSite(t, name), ...words);
}

async function assertRevokedOn(t: TestContext, node: ClusterNode, site: PublishedSite) {
  assert.equal(await failureOf(node, 'resolve', site.title), 'NAME_REVOKED');
  assert.equal(await fetchBy(t, node, site.root), 'CONTENT_REVOKED');
  for (const host of [`${site.title}.alt`, `${site.cid}.alt`]) {
    const { status, headers, text } = await open(node, host);
    assert.equal(status, 410, host);
    assert.match(String(headers['content-type']), /^text\/html/);
    assert.match(text, /revoked/);
    assert.ok(!text.includes(`<h1>${site.title}</h1>`));
  }
}

/** How many revocations of the one revoker are in force. */
async function inForce(node: ClusterNode): Promise<number | undefined> {
  return (await (await servicesOf(node)).revocations())[0]?.entries;
}

test('a network with gatekeepers', async (t) => {
  const net = await startGatekeptNet(t);
  const { bootstrap, registrar, members, outsiders } = net;
  const [author, reader] = outsiders;
  const [first, second] = members;
  let { revoker } = net;
  let [, , third, fourth] = members;
  const join = bootstrap.ready.listen;

  await t.test('lines that mean nothing are named with their numbers', () => {
    const expected = { 'trusted-registrars.txt': [2, 4], 'trusted-revokers.txt': [1, 4] };
    for (const [file, numbers] of Object.entries({ ...expected, 'blocklist.txt': [1, 3] })) {
      const named = (line: number): boolean => first.log().includes(`file=${file} line=${line} `);
      const lines = badLines[file as keyof typeof badLines].map((_, i) => i + 1);
      assert.deepEqual(lines.filter(named), numbers, file);
    }
  });

  const club = await publishCertified(t, net, 'club');
  const other = await publishSite(author, makeSite(t, 'other'));

  await t.test('a certified name resolves for members, and for nobody else', async () => {
    for (const member of members) {
      const resolved = await altnet(member, 'resolve', 'club');
      assert.partialDeepStrictEqual(resolved, { state: 'ok', root: club.root });
      assert.equal(resolved['zone'], registrar.ready.authorPublicKey);
      const { status, text } = await open(member, 'club.alt');
      assert.deepEqual([status, text.includes('<h1>club</h1>')], [200, true]);
    }
    assert.equal(await failureOf(reader, 'resolve', 'club'), 'NAME_NOT_FOUND');
    assert.equal((await open(reader, 'club.alt')).status, 404);
  });

  await t.test('all of them hold the site', async () => {
    for (const node of [revoker, ...members]) {
      assert.equal(await fetchBy(t, node, 'club'), 'fetched');
      assert.equal(await blocksHeldBy(node, club), club.blocks.length, node.name);
    }
    assert.equal(await fetchBy(t, reader, club.root), 'fetched');
    assert.equal(await fetchBy(t, first, other.root), 'fetched');
  });

  await fourth.end();
  await t.test('a revoked site goes from all who trust the revoker', async () => {
    const beganMs = performance.now();
    const killing = withinMinute('the third member knows', async () => {
      return (await inForce(third)) === 2;
    }).then(() => third.end('SIGKILL'));
    const dropping = [first, second].map(async (node) => {
      await withinMinute(`${node.name} drops it`, () => isGone(node, club));
      const seconds = (performance.now() - beganMs) / 1000;
      t.diagnostic(`gone from ${node.name} ${seconds.toFixed(1)} s after the command began`);
    });
    const revoked = await altnet(revoker, 'revoke', 'club');
    assert.partialDeepStrictEqual(revoked, { name: 'club.alt', root: club.root, changed: 2 });
    assert.ok(Number(revoked['stored']) > 0);
    assert.ok(await isGone(revoker, club));
    await Promise.all([killing, ...dropping]);
    for (const node of [revoker, first, second]) await assertRevokedOn(t, node, club);
  });

  await t.test('and stays with those who do not', async () => {
    for (const node of outsiders) {
      assert.equal(await blocksHeldBy(node, club), club.blocks.length, node.name);
      assert.equal(await fetchBy(t, node, club.root), 'fetched');
      assert.equal((await open(node, `${club.cid}.alt`)).status, 200);
    }
  });

  await t.test('a member that was killed as it heard of it denies it from its start', async () => {
    third = await startNode(t, { name: 'member 3 again', data: third.data });
    await assertRevokedOn(t, third, club);
    assert.equal(await inForce(third), 2);
    assert.ok(!third.log().includes('took revocations'), 'nobody had to tell it again');
    await withinMinute('what was left of it goes', () => isGone(third, club));
    await altnet(third, 'bootstrap', join);
  });

  await t.test('a member that was off drops it on its return', async () => {
    assert.equal(await blocksHeldBy(fourth, club), club.blocks.length);
    fourth = await startNode(t, { name: 'member 4 again', data: fourth.data, bootstrap: join });
    await withinMinute('it drops it', () => isGone(fourth, club));
    await assertRevokedOn(t, fourth, club);
  });

  const hostile = await new RawPeer().start(t);
  const list = async (): Promise<SignedRecord> => newestList(hostile, bootstrap, revoker);
  const before = await list();

  await t.test('a revoker that is killed keeps what it has acknowledged', async () => {
    const more = await altnet(revoker, 'revoke', other.root);
    const undone = await altnet(revoker, 'revoke', 'club', '--undo');
    await revoker.end('SIGKILL');
    assert.deepEqual([more['changed'], undone['changed'], undone['entries']], [1, 2, 5]);
    const { data } = revoker;
    revoker = await startNode(t, { name: 'revoker again', data, bootstrap: join });
    assert.equal(await fetchBy(t, revoker, other.root), 'CONTENT_REVOKED');
    assert.equal(await fetchBy(t, revoker, 'club'), 'fetched');
  });

  await t.test('names of the open zone are for outsiders', () => openZone(t, net));
  await t.test('a name that was withdrawn resolves no more', () => withdrawn(t, net));
  await t.test('a blocklist counts on its own node alone', () => blocked(t, net));
  await t.test('a list that cannot be read keeps a node from starting', () => unreadable(t));

  await t.test('what was taken back can be fetched again', async () => {
    for (const node of [first, second, third, fourth]) {
      // The second list is most of a minute away: a look now and then is enough.
      await eventually(`${node.name} refuses the other site`, async () => {
        return (await fetchBy(t, node, other.root)) === 'CONTENT_REVOKED';
      });
      await withinMinute(`${node.name} drops it`, () => isGone(node, other));
      assert.equal(await fetchBy(t, node, 'club'), 'fetched', node.name);
      assert.equal((await open(node, 'club.alt')).status, 200, node.name);
      assert.equal(await blocksHeldBy(node, club), club.blocks.length, node.name);
    }
  });

  await t.test('an earlier list brings nothing back', async () => {
    const after = await list();
    assert.ok(after.seq > before.seq);
    await replayed(t, { net, hostile, revoker, record: before });
    for (const node of [first, second]) {
      assert.equal(await inForce(node), 1);
      assert.equal(await fetchBy(t, node, 'club'), 'fetched');
      assert.equal(await fetchBy(t, node, other.root), 'CONTENT_REVOKED');
    }
    assert.equal((await list()).seq, after.seq);
  });
});

/** Every way to a name: a command, the API, and a browser. */
async function openZone(t: TestContext, { members, outsiders }: GatekeptNet): Promise<void> {
  const [author] = outsiders;
  const { root } = await publishSite(author, makeSite(t, 'anybody'), '--name', 'anybody');
  for (const member of members.slice(0, 2)) {
    assert.equal(await failureOf(member, 'resolve', 'anybody'), 'NAME_NOT_FOUND');
    const { state } = await (await servicesOf(member)).resolve('anybody');
    assert.equal(state, 'not-found');
    assert.equal((await open(member, 'anybody.alt')).status, 404);
  }
  for (const outsider of outsiders) {
    assert.equal((await altnet(outsider, 'resolve', 'anybody'))['root'], root);
    assert.equal((await (await servicesOf(outsider)).resolve('anybody')).root, root);
    const { status, text } = await open(outsider, 'anybody.alt');
    assert.deepEqual([status, text.includes('<h1>anybody</h1>')], [200, true]);
  }
}

/** The second member did not ask before, so it remembers nothing of the name. */
async function withdrawn(t: TestContext, net: GatekeptNet): Promise<void> {
  const [first, second] = net.members;
  const { root } = await publishCertified(t, net, 'lapsed');
  assert.equal((await altnet(first, 'resolve', 'lapsed'))['root'], root);
  const { stored } = await altnet(net.registrar, 'registrar', 'withdraw', 'lapsed');
  assert.ok(Number(stored) > 0);
  assert.equal(await failureOf(first, 'resolve', 'lapsed', '--fresh'), 'NAME_NOT_FOUND');
  for (const member of [first, second]) {
    assert.equal(await failureOf(member, 'resolve', 'lapsed'), 'NAME_NOT_FOUND');
    assert.equal((await open(member, 'lapsed.alt')).status, 404);
  }
}

async function blocked(
  t: TestContext,
  { members: [first, second], outsiders: [author, reader] }: GatekeptNet,
): Promise<void> {
  const site = await publishSite(author, makeSite(t, 'unwelcome'));
  const host = `${site.cid}.alt`;
  for (const node of [first, second]) assert.equal((await open(node, host)).status, 200);
  appendFileSync(path.join(second.data, 'blocklist.txt'), `/ipfs/${site.cid}\n`);
  await withinMinute('it follows its list', async () => (await open(second, host)).status === 451);
  assert.equal(await fetchBy(t, second, site.root), 'CONTENT_BLOCKED');
  await withinMinute('it drops the site', () => isGone(second, site));
  for (const node of [first, author, reader]) {
    assert.equal((await open(node, host)).status, 200, node.name);
    assert.equal(await fetchBy(t, node, site.root), 'fetched');
  }
}

const locked = (file: string): void => writeFileSync(file, '', { mode: 0 });

/** Nobody can read a folder in the place of a file; root can read every file. */
async function unreadable(t: TestContext): Promise<void> {
  const isRoot = process.getuid?.() === 0;
  if (isRoot) t.diagnostic('root may read every file: files without permissions are left out');
  const spoils = isRoot ? [mkdirSync] : [mkdirSync, locked];
  const cases = Object.keys(badLines).flatMap((file) => spoils.map((spoil) => ({ file, spoil })));
  await Promise.all(
    cases.map(async ({ file, spoil }) => {
      const data = temporaryFolder(t);
      spoil(path.join(data, file));
      const words = ['start', '--headless', '--json', '--network', 'local', '--data', data];
      const off = ['--no-gateway', '--no-registrar', '--no-metrics', '--no-dns'];
      const { code, stdout, stderr } = await runProgram([
        ...words,
        ...off,
        '--listen',
        '127.0.0.1:0',
      ]);
      assert.deepEqual([code, stdout], [1, '']);
      const said = JSON.parse(stderr) as { code: string; error: string };
      assert.equal(said.code, 'LIST_UNREADABLE');
      assert.ok(said.error.includes(file), said.error);
    }),
  );
}

/** What `holder` gives to whoever asks for the revoker's list. */
async function newestList(
  hostile: RawPeer,
  holder: ClusterNode,
  revoker: ClusterNode,
): Promise<SignedRecord> {
  const publicKey = parseHex(revoker.ready.authorPublicKey, 32);
  assert.ok(publicKey);
  const key = revocationsKey(publicKey);
  const request = { method: 'get', key, mode: 'full', minSeq: 0n, cursor: 0, ids: [] } as const;
  const target = targetOf(holder, (await servicesOf(holder)).keys());
  const [bytes] = (await hostile.call(target, request)).records;
  const parsed = bytes && parseRecord(bytes);
  assert.ok(parsed?.ok);
  return parsed.record;
}

/**
 * Shows the record to all whom it could mislead, and first to a member that never heard of any: it
 * takes the same packet for news, so the others had it and knew better.
 */
async function replayed(
  t: TestContext,
  {
    net: { bootstrap, registrar, members },
    hostile,
    revoker,
    record,
  }: { net: GatekeptNet; hostile: RawPeer; revoker: ClusterNode; record: SignedRecord },
): Promise<void> {
  const keys = { zone: registrar.ready.authorPublicKey, revoker: revoker.ready.authorPublicKey };
  const hermit = await startNode(t, { name: 'hermit', data: trustingFolder(t, keys) });
  const announce = { method: 'announce', record: record.bytes } as const;
  for (const node of [hermit, ...members.slice(0, 2)]) {
    await hostile.call(targetOf(node, (await servicesOf(node)).keys()), announce);
  }
  await withinMinute('it is news to the hermit', async () => (await inForce(hermit)) === 2);
  for (const node of [bootstrap, ...members.slice(0, 2)]) {
    const target = targetOf(node, (await servicesOf(node)).keys());
    assert.equal(await hostile.store(target, record), 'SEQ_OLD', node.name);
  }
}
