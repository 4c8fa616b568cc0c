/** The authority on disk, what it signs and what it refuses. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { test, type TestContext } from 'node:test';
import { temporaryFolder } from '../../test/support/cleanup.ts';
import { connectAs, serveTls, showing } from '../../test/support/tls.ts';
import { systemWorld, type World } from '../base/clock.ts';
import { CertificateAuthority } from './authority.ts';

const dayMs = 86_400_000;

/** Days from now; time stands still besides. */
function worldIn(days: number): World {
  const unixMs = Date.now() + days * dayMs;
  return { ...systemWorld, clock: { unixMs: () => unixMs, monotonicMs: () => 0 } };
}

const options = { tld: 'alt', world: systemWorld };

function folderOf(t: TestContext): string {
  return path.join(temporaryFolder(t), 'ca');
}

test('an authority is made once, for its owner alone, and then loaded', async (t) => {
  const folder = folderOf(t);
  assert.equal(await CertificateAuthority.find(folder, options), undefined);
  const made = await CertificateAuthority.open(folder, options);
  assert.match(made.name, /^AltNet local CA [0-9a-f]{8}$/);
  assert.equal(made.fingerprint, new X509Certificate(made.pem).fingerprint256);
  const again = await CertificateAuthority.open(folder, options);
  assert.equal(again.fingerprint, made.fingerprint);
  assert.deepEqual((await readdir(folder)).toSorted(), ['ca-key.pem', 'ca.pem']);
  if (process.platform !== 'win32') {
    assert.equal((await stat(folder)).mode & 0o777, 0o700);
    assert.equal((await stat(path.join(folder, 'ca-key.pem'))).mode & 0o777, 0o600);
  }
  const other = await CertificateAuthority.open(folderOf(t), options);
  assert.notEqual(other.name, made.name);
});

test('several that begin at the same time end with the same one', async (t) => {
  const folder = folderOf(t);
  const many = await Promise.all(
    Array.from({ length: 8 }, () => CertificateAuthority.open(folder, options)),
  );
  assert.equal(new Set(many.map(({ fingerprint }) => fingerprint)).size, 1);
  assert.deepEqual((await readdir(folder)).toSorted(), ['ca-key.pem', 'ca.pem']);
});

test('one that was killed after its key gets its certificate', async (t) => {
  const folder = folderOf(t);
  const { name } = await CertificateAuthority.open(folder, options);
  await rm(path.join(folder, 'ca.pem'));
  assert.equal((await CertificateAuthority.open(folder, options)).name, name);
});

test('what is damaged, exposed or too powerful is refused with its file', async (t) => {
  const folder = folderOf(t);
  const key = path.join(folder, 'ca-key.pem');
  const certificate = path.join(folder, 'ca.pem');
  await CertificateAuthority.open(folder, options);
  const [goodKey, good] = [await readFile(key, 'utf8'), await readFile(certificate, 'utf8')];
  const other = await CertificateAuthority.open(folderOf(t), options);

  const refuses = async (file: string, code: string, over = {}): Promise<void> => {
    const opening = CertificateAuthority.open(folder, { ...options, ...over });
    await assert.rejects(opening, (error: Error & { code: string }) => {
      assert.equal(error.code, code);
      return error.message.includes(file);
    });
  };
  await refuses(certificate, 'CA_UNUSABLE', { tld: 'other' });
  await refuses(certificate, 'CA_UNUSABLE', { world: worldIn(3700) });
  await refuses(certificate, 'CA_UNUSABLE', { world: worldIn(-3) });
  for (const text of ['', 'nonsense', good.slice(0, 200), other.pem]) {
    await writeFile(certificate, text);
    await refuses(certificate, 'CA_UNUSABLE');
  }
  await writeFile(certificate, good);
  for (const text of ['', goodKey.slice(0, 100)]) {
    await writeFile(key, text);
    await refuses(key, 'CA_UNUSABLE');
  }
  await rm(key);
  await refuses(key, 'CA_UNUSABLE');
  await mkdir(key);
  await refuses(key, 'CA_UNUSABLE');
  await rm(key, { recursive: true });
  await writeFile(key, goodKey);
  if (process.platform !== 'win32') {
    await chmod(key, 0o644);
    await refuses(key, 'KEY_EXPOSED');
  }
});

test('a folder that cannot be made is an error that names the file', async (t) => {
  const file = path.join(temporaryFolder(t), 'a file');
  await writeFile(file, '');
  await assert.rejects(CertificateAuthority.open(path.join(file, 'ca'), options), {
    code: 'PATH_UNREADABLE',
  });
});

test('a site gets a leaf of its own, the same one until it has to be renewed', async (t) => {
  const clock = { nowMs: Date.now() };
  const world: World = {
    ...systemWorld,
    clock: { unixMs: () => clock.nowMs, monotonicMs: () => clock.nowMs },
  };
  const authority = await CertificateAuthority.open(folderOf(t), { tld: 'alt', world });
  const [first, same, other] = ['alice.alt', 'Blog.Alice.ALT', 'bob.alt'].map((name) =>
    authority.contextFor(name),
  );
  assert.ok(first);
  assert.equal(first, same);
  assert.notEqual(first, other);
  clock.nowMs += 55 * dayMs;
  assert.equal(authority.contextFor('alice.alt'), first);
  clock.nowMs += 10 * dayMs;
  const renewed = authority.contextFor('alice.alt');
  assert.notEqual(renewed, first);
  clock.nowMs -= 65 * dayMs; // the clock was set back: the new one is from the future
  assert.notEqual(authority.contextFor('alice.alt'), renewed);
  clock.nowMs = authority.notAfter.getTime();
  assert.equal(authority.contextFor('alice.alt'), undefined);
});

test('names outside the ending get nothing', async (t) => {
  const authority = await CertificateAuthority.open(folderOf(t), options);
  const refused = [
    'example.com',
    'alice.alt.example.com',
    'alice.com',
    'localhost',
    'alt',
    '.alt',
    '*.alt',
    'a.b.c.alt',
    'gns.alt',
    'x.i2p.alt',
    'alice.alt.',
    'a_b.alt',
    'a\0.alt',
    '127.0.0.1',
    `${'a'.repeat(64)}.alt`,
    `${'a'.repeat(63)}.${'a'.repeat(63)}.${'a'.repeat(63)}.${'a'.repeat(63)}.alt`,
    '',
  ];
  for (const name of refused) assert.equal(authority.contextFor(name), undefined, name);
});

test('a flood of names costs a bounded number of leaves, and known sites go on', async (t) => {
  const authority = await CertificateAuthority.open(folderOf(t), {
    tld: 'alt',
    world: worldIn(0),
  });
  const known = authority.contextFor('alice.alt');
  const asked = Array.from({ length: 400 }, (_, i) => authority.contextFor(`site-${i}.alt`));
  const made = asked.filter((context) => context !== undefined);
  assert.equal(made.length, 127);
  assert.equal(authority.contextFor('alice.alt'), known);
});

test('a client that trusts the authority believes a site, and its names alone', async (t) => {
  const authority = await CertificateAuthority.open(folderOf(t), options);
  const context = authority.contextFor('alice.alt');
  assert.ok(context);
  const port = await serveTls(t, showing(context));
  const say = (servername: string, ca = authority.pem): Promise<string> =>
    connectAs(servername, { port, ca });
  assert.equal(await say('alice.alt'), 'believed');
  assert.equal(await say('blog.alice.alt'), 'believed');
  assert.equal(await say('bob.alt'), 'ERR_TLS_CERT_ALTNAME_INVALID');
  assert.equal(await say('a.blog.alice.alt'), 'ERR_TLS_CERT_ALTNAME_INVALID');
  const stranger = await CertificateAuthority.open(folderOf(t), options);
  assert.notEqual(await say('alice.alt', stranger.pem), 'believed');
});
