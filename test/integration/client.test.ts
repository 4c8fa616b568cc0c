/**
 * The contract with desktop clients: AltNet Studio starts the real program with its own spelling of
 * the options, holds its standard input open, speaks plain HTTP and kills it with SIGKILL. What is
 * asked and answered here, field by field, is what such a client relies on.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { test, type TestContext } from 'node:test';
import { atEnd, temporaryFolder } from '../support/cleanup.ts';
import { eventually, servicesOf, startNode } from '../support/cluster.ts';
import { type ApiDocument, DocumentedAnswers } from '../support/openapi.ts';

const program: string = path.resolve(import.meta.dirname, '../../bin/altnet');
const token = 'studio-0123456789abcdef';
const options = { skip: process.platform === 'win32' && 'bin/* are shell scripts' };

/** The folders that a client gives to its node, and keeps. */
interface Home {
  readonly folder: string;
  readonly bootstrap: string;
}

interface Studio {
  readonly child: ChildProcess;
  readonly port: number;
  readonly call: (method: string, at: string, body?: unknown) => Promise<Answer>;
}

interface Answer {
  readonly status: number;
  readonly json: Record<string, unknown>;
}

function wordsOf({ folder, bootstrap }: Home): string[] {
  const any = '127.0.0.1:0';
  const at = (name: string): string => path.join(folder, name);
  const words = [
    `-listen ${any} -data ${at('data')} -keydir ${at('keys')} -gateway ${any}`,
    `-registrar ${any} -registrar-token ${token} -metrics ${any} -log-format json`,
    `-dns ${any} -gateway-tls ${any} -ca-dir ${at('ca')} -bootstrap ${bootstrap}`,
    // Not the client's: proofs of work for the main network would take minutes.
    '-network local',
  ];
  return [...words.join(' ').split(' '), '-relay', ''];
}

/** Starts the program as a client does, and finds out where its API is. */
async function startStudio(t: TestContext, home: Home): Promise<Studio> {
  const child = spawn(program, wordsOf(home), { stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  atEnd(t, () => kill(child));
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    const [, port] = /API at 127\.0\.0\.1:(\d+)/.exec(line) ?? [];
    if (port !== undefined) resolve(Number(port));
  });
  child.once('exit', (code) => reject(new Error(`ended with ${code}: ${said}`)));
  const port = await promise;
  return { child, port, call: (...what) => callAt(port, ...what) };
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

let documented: DocumentedAnswers | undefined;

/** A call as clients make it; its answer must be as the node's own document says. */
async function callAt(port: number, method: string, at: string, body?: unknown): Promise<Answer> {
  const isTar = body instanceof Uint8Array;
  const type = isTar ? 'application/x-tar' : 'application/json';
  const isOpen = at.startsWith('/api/check/');
  const response = await fetch(`http://127.0.0.1:${port}${at}`, {
    method,
    headers: {
      ...(!isOpen && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': type }),
    },
    ...(body !== undefined && { body: isTar ? Buffer.from(body) : JSON.stringify(body) }),
  });
  const json = (await response.json()) as Record<string, unknown>;
  const { status } = response;
  const [place = ''] = at.split('?');
  const answer = { method, status, type: response.headers.get('content-type') ?? '', body: json };
  const known = place.replace(/^\/api\/(check|stats)\/.*/, '/api/$1/{name}');
  if (at !== '/api/openapi.json') documented?.check({ ...answer, path: known });
  if (status >= 400) assert.equal(typeof json['error'], 'string');
  return { status, json };
}

function makeSite(folder: string): { readonly site: string; readonly tar: Buffer } {
  const site = path.join(folder, 'site');
  mkdirSync(path.join(site, 'sub/.hidden'), { recursive: true });
  writeFileSync(path.join(site, 'index.html'), '<h1>hello</h1>');
  writeFileSync(path.join(site, 'sub/page.html'), 'a page');
  writeFileSync(path.join(site, 'sub/.hidden/x'), 'left out');
  writeFileSync(path.join(site, 'big.bin'), randomBytes(1_000_000));
  return { site, tar: execFileSync('tar', ['-C', site, '-c', '.'], { maxBuffer: 2 ** 26 }) };
}

const stringsOf = (json: object, ...keys: readonly string[]): readonly unknown[] =>
  keys.map((key) => (json as Record<string, unknown>)[key]);

test('a desktop client starts, uses, kills and restarts its node', options, async (t) => {
  const peer = await startNode(t, { name: 'peer' });
  const others = await servicesOf(peer);
  const home: Home = { folder: temporaryFolder(t), bootstrap: peer.ready.listen };
  const { site, tar } = makeSite(home.folder);
  let studio = await startStudio(t, home);
  const { json: document } = await studio.call('GET', '/api/openapi.json');
  documented = new DocumentedAnswers(document as unknown as ApiDocument);
  await eventually('the node answers', async () => {
    return (await studio.call('GET', '/api/check/mysite')).status === 200;
  });

  const published = await studio.call('POST', '/api/publish', { path: site });
  assert.equal(published.status, 200);
  const { root } = published.json as { root: string };
  assert.match(root, /^[0-9a-f]{64}$/);
  assert.equal(published.json['entry_count'], 3);

  await t.test('a tar archive of the folder has its root', async () => {
    const packed = await studio.call('POST', '/api/publish', tar);
    assert.deepEqual(stringsOf(packed.json, 'root', 'entry_count'), [root, 3]);
    const named = await studio.call('POST', '/api/publish?name=packed', tar);
    assert.deepEqual(stringsOf(named.json, 'root', 'name'), [root, 'packed.alt']);
  });

  await t.test('a name is checked, registered, and then taken', async () => {
    const free = await studio.call('GET', '/api/check/mysite');
    assert.deepEqual(stringsOf(free.json, 'name', 'available'), ['mysite.alt', true]);
    const mine = { name: 'mysite', root, owner: 'user@studio' };
    const made = await studio.call('POST', '/api/register', mine);
    assert.equal(made.status, 201);
    assert.deepEqual(stringsOf(made.json, 'name', 'root', 'version'), ['mysite.alt', root, 1]);
    const taken = await studio.call('GET', '/api/check/mysite');
    assert.deepEqual(stringsOf(taken.json, 'available', 'root'), [false, root]);
    const another = await studio.call('POST', '/api/register', { ...mine, owner: 'other' });
    assert.equal(another.status, 409);
    await others.register({ name: 'theirs', root });
    const theirs = { ...mine, name: 'theirs.alt' };
    assert.equal((await studio.call('POST', '/api/register', theirs)).status, 409);
  });

  const next = path.join(home.folder, 'next');
  mkdirSync(next);
  writeFileSync(path.join(next, 'index.html'), 'the next version');
  const changed = await studio.call('POST', '/api/publish', { path: next });
  const { cid: nextCid, root: nextRoot } = changed.json as { cid: string; root: string };

  await t.test('an update makes one version, however often it comes', async () => {
    for (const given of [nextRoot, nextCid, nextRoot]) {
      const updated = await studio.call('POST', '/api/update', { name: 'mysite', root: given });
      assert.equal(updated.status, 200);
      assert.deepEqual(stringsOf(updated.json, 'root', 'version'), [nextRoot, 2]);
    }
    const unknown = await studio.call('POST', '/api/update', { name: 'nobody-has-it', root });
    assert.equal(unknown.status, 404);
  });

  const domainsOf = async (): Promise<Record<string, unknown>[]> => {
    const { json } = await studio.call('GET', '/api/domains');
    const domains = json['domains'] as Record<string, unknown>[];
    assert.equal(json['count'], domains.length);
    return domains.toSorted((a, b) => String(a['name']).localeCompare(String(b['name'])));
  };
  const before = await domainsOf();

  await t.test('the names are listed, each with its owner', async () => {
    const [mine, packed] = before;
    assert.ok(mine && packed && before.length === 2);
    const fields = ['cid', 'name', 'owner', 'registered_at', 'root', 'updated_at', 'version'];
    assert.deepEqual(Object.keys(mine).toSorted(), fields);
    const shown = stringsOf(mine, 'name', 'root', 'owner', 'version');
    assert.deepEqual(shown, ['mysite.alt', nextRoot, 'user@studio', 2]);
    const { json } = await studio.call('GET', '/api/node');
    assert.deepEqual(stringsOf(packed, 'name', 'owner'), ['packed.alt', json['author']]);
    const stats = await studio.call('GET', '/api/stats/mysite');
    const counts = ['requests', 'bytes', 'unique_ips', 'last_seen_unix'] as const;
    assert.deepEqual(stringsOf(stats.json, 'name', ...counts), ['mysite.alt', 0, 0, 0, 0]);
  });

  await t.test('a second node on the same folders ends, and harms nothing', async () => {
    const filesBefore = readdirSync(path.join(home.folder, 'data')).toSorted();
    const second = spawn(program, wordsOf(home), { stdio: ['pipe', 'pipe', 'pipe'] });
    atEnd(t, () => kill(second));
    let said = '';
    second.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
    const [code] = (await once(second, 'close')) as [number | null];
    assert.equal(code, 1);
    assert.match(said, /is used by another running node/);
    assert.deepEqual(readdirSync(path.join(home.folder, 'data')).toSorted(), filesBefore);
    assert.deepEqual(await domainsOf(), before);
  });

  await t.test('killed in the midst of an upload, it starts at once and has all', async () => {
    const { json: stats } = await studio.call('GET', '/api/stats');
    const socket = connect(studio.port, '127.0.0.1').on('error', () => undefined);
    socket.write(
      [
        'POST /api/publish HTTP/1.1',
        'Host: 127.0.0.1',
        `Authorization: Bearer ${token}`,
        'Content-Type: application/x-tar',
        'Content-Length: 100000000',
        '',
        '',
      ].join('\r\n'),
    );
    const bulk = path.join(home.folder, 'bulk');
    mkdirSync(bulk);
    writeFileSync(path.join(bulk, 'bulk.bin'), randomBytes(9_000_000));
    socket.write(execFileSync('tar', ['-C', bulk, '-c', '.'], { maxBuffer: 2 ** 26 }));
    await eventually('some of it is written', async () => {
      const { json } = await studio.call('GET', '/api/stats');
      return Number(json['blocks']) > Number(stats['blocks']);
    });
    await kill(studio.child);
    studio = await startStudio(t, home);
    assert.deepEqual(await domainsOf(), before);
    await eventually('nothing is left of the upload', async () => {
      const { json } = await studio.call('GET', '/api/stats');
      return Number(json['blocks']) === Number(stats['blocks']);
    });
  });

  await t.test('it goes on when its standard input ends', async () => {
    studio.child.stdin?.end();
    assert.deepEqual(await domainsOf(), before);
    assert.equal(studio.child.exitCode, null);
  });

  await t.test('a name is given up, and another one revoked', async () => {
    const gone = await studio.call('POST', '/api/unregister', { name: 'packed' });
    assert.deepEqual([gone.status, gone.json], [200, { name: 'packed.alt', ok: true }]);
    assert.deepEqual(stringsOf((await domainsOf())[0] ?? {}, 'name'), ['mysite.alt']);
    const revoked = await studio.call('POST', '/api/revoke', { name: 'mysite' });
    assert.equal(revoked.status, 200);
    assert.deepEqual(stringsOf(revoked.json, 'ok'), [true]);
    assert.equal(typeof revoked.json['chunk_count'], 'number');
  });

  await t.test('without the token, or with a wrong one, nothing is told', async () => {
    for (const authorization of ['', 'Bearer wrong', `Basic ${token}`]) {
      const url = `http://127.0.0.1:${studio.port}/api/domains`;
      const { status } = await fetch(url, { headers: { authorization } });
      assert.equal(status, 401);
    }
  });
});
