/** Choosing among alternatives, and downloading them: against servers on loopback. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import type { FoundLinkLine } from '../../api/ports-links.ts';
import type { FetchFileInput } from '../../api/ports-sites.ts';
import { AltNetError, isAltNetError } from '../../base/errors.ts';
import { atEnd, temporaryFolder } from '../../../test/support/cleanup.ts';
import { fetchFirst, type FetchedLink } from './attempt.ts';
import { draftNameOf, finishDraft, requireFree } from './draft-file.ts';
import { download } from './download.ts';
import { rankLinks } from './rank.ts';
import { PublisherReputation } from './reputation.ts';

const ids = ['a', 'b', 'c', 'd'].map((digit) => digit.repeat(64));
const [ann = '', bob = '', cid = '', dan = ''] = ids;

function linkOf(
  target: string,
  publisher: string,
  more: Partial<FoundLinkLine> = {},
): FoundLinkLine {
  return { url: 'http://dead.example/', target, publisher, issued: 1, seconds: 0.1, ...more };
}

const nobody = { isTrusted: () => false, balance: () => 0 };

test('each target is ranked once: trust, then the past, then agreement, then a hash', () => {
  const links = [
    linkOf('plain', ann),
    linkOf('hashed', ann, { sha256: ann }),
    linkOf('agreed', bob),
    linkOf('agreed', cid),
    linkOf('worked', dan),
    linkOf('trusted', cid),
  ];
  const order = rankLinks(links, {
    isTrusted: (publisher) => publisher === cid,
    balance: (publisher) => (publisher === dan ? 1 : 0),
  });
  // cid is trusted, and so is what it agrees on.
  const targets = order.map(({ target }) => target);
  assert.deepEqual(targets, ['agreed', 'trusted', 'worked', 'hashed', 'plain']);
  assert.equal(order[0]?.publisher, cid, 'its word about the hash is the one that counts');
});

test('of equals the first found is first, and many keys add no more than three', () => {
  const many = ids.map((publisher) => linkOf('many', publisher));
  const three = ids.slice(1).map((publisher) => linkOf('three', publisher));
  const order = rankLinks([linkOf('alone', ann), ...three, ...many], nobody);
  assert.deepEqual(
    order.map(({ target }) => target),
    ['three', 'many', 'alone'],
  );
});

test('a target is there once for each hash that is told, the most trusted word first', () => {
  const links = [
    linkOf('same', ann),
    linkOf('same', bob, { sha256: bob }),
    linkOf('same', cid, { sha256: cid }),
    linkOf('same', dan, { sha256: cid }),
  ];
  const order = rankLinks(links, { ...nobody, isTrusted: (publisher) => publisher === dan });
  assert.deepEqual(
    order.map(({ publisher }) => publisher),
    [dan, bob, ann],
  );
});

test('time, note and size of a link say nothing', () => {
  const loud = linkOf('loud', bob, { issued: 9e9, captured: 9e9, note: 'best!', size: 1 });
  const [first] = rankLinks([linkOf('plain', ann), loud], nobody);
  assert.equal(first?.target, 'plain');
});

test('what is known of publishers is kept, and damage to it is no harm', async (t) => {
  const folder = path.join(temporaryFolder(t), 'data');
  const first = await PublisherReputation.load(folder);
  assert.deepEqual([first.isTrusted(ann), first.balance(ann)], [false, 0]);
  for (let i = 0; i < 9; i++) first.note(ann, true);
  first.note(bob, false);
  await first.save();
  writeFileSync(
    path.join(folder, 'trusted-publishers.txt'),
    `# friends\n ${cid.toUpperCase()} # c\n`,
  );
  const second = await PublisherReputation.load(folder);
  assert.deepEqual(
    [second.balance(ann), second.balance(bob), second.isTrusted(cid), second.isTrusted(bob)],
    [5, -1, true, false],
  );
  writeFileSync(path.join(folder, 'publishers.json'), '{"a":');
  assert.equal((await PublisherReputation.load(folder)).balance(ann), 0);
});

test('a draft takes its place, and never that of another file', async (t) => {
  const folder = temporaryFolder(t);
  const file = path.join(folder, 'file');
  await requireFree(file);
  const draft = draftNameOf(file);
  await writeFile(draft, 'new');
  await finishDraft(draft, file);
  assert.equal(readFileSync(file, 'utf8'), 'new');
  await assert.rejects(requireFree(file), /exists already/);
  const late = draftNameOf(file);
  await writeFile(late, 'late');
  await assert.rejects(finishDraft(late, file), /exists already/);
  assert.equal(readFileSync(file, 'utf8'), 'new');
  await assert.rejects(requireFree(path.join(folder, 'none', 'file')), /does not exist/);
  await assert.rejects(requireFree(path.join(folder, 'x'.repeat(300))), /name is too long/);
  symlinkSync(path.join(folder, 'nowhere'), path.join(folder, 'dangling'));
  await assert.rejects(requireFree(path.join(folder, 'dangling')), /exists already/);
});

async function serve(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(t, async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const content = Buffer.from('the content that was lost');
const contentHash = createHash('sha256').update(content).digest('hex');

/** A server with everything that can go right or wrong. */
function serveAll(t: TestContext): Promise<string> {
  return serve(t, (request, response) => {
    const redirect = (location: string): void => {
      response.writeHead(302, { location }).end();
    };
    switch (request.url ?? '') {
      case '/good':
        return void response.end(content);
      case '/moved':
        return redirect('/good');
      case '/circle':
        return redirect('/circle');
      case '/elsewhere':
        return redirect('file:///etc/passwd');
      case '/alt':
        return redirect('http://alice.alt/');
      case '/nonsense':
        return redirect('http://');
      case '/endless': {
        const write = (): void => void response.write(Buffer.alloc(1024), write);
        return write();
      }
      case '/broken':
        response.writeHead(200, { 'content-length': 100 });
        response.write('half');
        return void setImmediate(() => response.destroy());
      default:
        return void response.writeHead(404).end();
    }
  });
}

const forever = new AbortController().signal;

test('a file is downloaded and hashed, also after a redirect', async (t) => {
  const server = await serveAll(t);
  const folder = temporaryFolder(t);
  const options = { bytesMax: 1000, allowPrivate: true, signal: forever };
  for (const name of ['good', 'moved']) {
    const got = await download(`${server}/${name}`, path.join(folder, name), options);
    assert.deepEqual(got, { bytes: content.length, sha256: contentHash });
    assert.deepEqual(readFileSync(path.join(folder, name)), content);
  }
});

const failing: readonly (readonly [place: string, why: RegExp])[] = [
  ['/missing', /status 404/],
  ['/circle', /redirects more than 5 times/],
  ['/elsewhere', /redirects to file:\S+, and file: is not asked/],
  ['/alt', /none of the DNS/],
  ['/nonsense', /no address/],
  ['/endless', /more than 1000 bytes/],
  ['/broken', /connection broke/],
];

for (const [place, why] of failing) {
  test(`a download of ${place} fails and says why`, async (t) => {
    const server = await serveAll(t);
    const file = path.join(temporaryFolder(t), 'file');
    const options = { bytesMax: 1000, allowPrivate: true, signal: forever };
    await assert.rejects(download(server + place, file, options), (error) => {
      assert.ok(isAltNetError(error, 'DOWNLOAD_FAILED'), String(error));
      assert.match(error.message, why);
      return true;
    });
  });
}

test('strangers do not send this program into private networks', async (t) => {
  let asked = 0;
  const server = await serve(t, (_request, response) => {
    asked += 1;
    response.end();
  });
  const { port } = new URL(server);
  const options = { bytesMax: 1000, allowPrivate: false, signal: forever };
  const file = path.join(temporaryFolder(t), 'file');
  const hosts = ['127.0.0.1', 'localhost', '[::1]', '[::ffff:127.0.0.1]', '0x7f.1', '10.0.0.1'];
  const odd = ['100.100.100.200', '198.18.0.1', '[2002:7f00:1::1]', '[64:ff9b::7f00:1]'];
  for (const host of [...hosts, ...odd, '169.254.169.254', '[fe80::1]', '0.0.0.0']) {
    const refused = download(`http://${host}:${port}/`, file, options);
    await assert.rejects(refused, /private network/, host);
  }
  assert.equal(asked, 0);
});

test('an abort ends a download with its reason', async (t) => {
  const server = await serveAll(t);
  const file = path.join(temporaryFolder(t), 'file');
  const controller = new AbortController();
  const options = { bytesMax: 1e9, allowPrivate: true, signal: controller.signal };
  const onBytes = (): void => controller.abort(new AltNetError('ABORTED', {}));
  await assert.rejects(download(`${server}/endless`, file, { ...options, onBytes }), (error) =>
    isAltNetError(error, 'ABORTED'),
  );
});

async function attempt(
  t: TestContext,
  links: readonly FoundLinkLine[],
  { bytesMax = 1000 }: { bytesMax?: number } = {},
): Promise<{ fetched: FetchedLink | undefined; failures: string[]; folder: string }> {
  const folder = path.join(temporaryFolder(t), 'out');
  mkdirSync(folder);
  const failures: string[] = [];
  const fetched = await fetchFirst(links, {
    services: {
      fetchFile: async ({ what, path: inside, dest }: FetchFileInput) => {
        if (what !== 'alice.alt') throw new AltNetError('NAME_NOT_FOUND', { name: what });
        await writeFile(dest, inside);
        return { root: ann, cid: 'x', bytes: inside.length };
      },
    },
    file: path.join(folder, 'file'),
    bytesMax,
    allowPrivate: true,
    signal: forever,
    onFailure: (_link, why) => failures.push(why),
    onBytes: () => undefined,
  });
  return { fetched, failures, folder };
}

test('the first alternative that works is taken, and each other one has its reason', async (t) => {
  const server = await serveAll(t);
  const { fetched, failures, folder } = await attempt(t, [
    linkOf('magnet:?xt=urn:btih:0123', ann),
    linkOf(`${server}/missing`, ann),
    linkOf(`${server}/good`, bob, { sha256: bob }),
    linkOf(`${server}/good`, bob, { size: 5000 }),
    linkOf('http://bob.alt/x', bob),
    linkOf(`${server}/good`, cid, { sha256: contentHash }),
    linkOf(`${server}/circle`, dan),
  ]);
  assert.deepEqual(fetched, {
    fetched: `${server}/good`,
    publisher: cid,
    bytes: content.length,
    sha256: contentHash,
    verified: true,
    path: path.join(folder, 'file'),
  });
  const reasons = [/open it yourself/, /404/, /SHA-256 differs/, /--max-bytes/, /bob\.alt/];
  assert.equal(failures.length, reasons.length);
  for (const [i, reason] of reasons.entries()) assert.match(failures[i] ?? '', reason);
  assert.deepEqual(readdirSync(folder), ['file'], 'no draft is left');
});

test('a false hash of another keeps nobody from a good copy', async (t) => {
  let asked = 0;
  const server = await serve(t, (request, response) => {
    asked += 1;
    response.writeHead(request.url === '/good' ? 200 : 404).end(content);
  });
  const { fetched, failures } = await attempt(t, [
    linkOf(`${server}/gone`, ann, { sha256: ann }),
    linkOf(`${server}/gone`, bob),
    linkOf(`${server}/good`, ann, { sha256: ann }),
    linkOf(`${server}/good`, bob, { sha256: bob }),
    linkOf(`${server}/good`, cid),
  ]);
  assert.deepEqual([fetched?.publisher, fetched?.verified], [cid, false]);
  assert.equal(failures.length, 3);
  assert.equal(asked, 3, 'nothing that failed is asked again, nor for a hash that cannot fit');
});

test('a place where nothing can be written ends all attempts', async (t) => {
  const server = await serveAll(t);
  const file = path.join(temporaryFolder(t), 'gone', 'file');
  const options = { bytesMax: 1000, allowPrivate: true, signal: forever };
  await assert.rejects(download(`${server}/good`, file, options), (error) =>
    isAltNetError(error, 'PATH_UNSUPPORTED'),
  );
});

test('a file of a site comes through the node; without a hash it is unverified', async (t) => {
  const { fetched, folder } = await attempt(t, [linkOf('http://alice.alt/a%20b/c.txt', ann)]);
  assert.deepEqual([fetched?.verified, fetched?.bytes], [false, 9]);
  assert.equal(readFileSync(path.join(folder, 'file'), 'utf8'), 'a b/c.txt');
});

test('when none works, nothing is left', async (t) => {
  const server = await serveAll(t);
  const { fetched, failures, folder } = await attempt(t, [linkOf(`${server}/endless`, ann)]);
  assert.deepEqual([fetched, failures.length, readdirSync(folder)], [undefined, 1, []]);
});
