/**
 * Programs that did not come from here judge what the authority signs: openssl, curl, Node.js and
 * NSS believe a site, and none of them a host elsewhere, even when the key itself was stolen to
 * sign it.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import {
  Extension,
  GeneralName,
  id_ce_subjectAltName as subjectAltNameId,
  SubjectAlternativeName,
} from '@peculiar/asn1-x509';
import { temporaryFolder } from '../../test/support/cleanup.ts';
import { connectAs, serveTls } from '../../test/support/tls.ts';
import { systemWorld } from '../base/clock.ts';
import { CertificateAuthority } from './authority.ts';
import { authorityExtensions, leafExtensions } from './extensions.ts';
import { type CertificateKey, encodeKey, makeKey, parseKey } from './keys.ts';
import { signCertificate } from './sign.ts';

interface Forge {
  readonly ca: CertificateAuthority;
  readonly folder: string;
  /** Of the authority. */
  readonly key: CertificateKey;
  readonly leafKey: CertificateKey;
}

async function forge(t: TestContext): Promise<Forge> {
  const folder = temporaryFolder(t);
  const ca = await CertificateAuthority.open(folder, { tld: 'alt', world: systemWorld });
  const key = parseKey(await readFile(path.join(folder, 'ca-key.pem'), 'utf8'));
  assert.ok(key);
  return { ca, folder, key, leafKey: makeKey() };
}

/** What a thief of the authority's key would sign. */
function signAs(
  { ca, key, leafKey }: Forge,
  {
    extensions,
    subject = 'AltNet site',
  }: { readonly extensions: readonly Extension[]; readonly subject?: string },
): string {
  const nowMs = Date.now();
  return signCertificate(
    {
      subject,
      issuer: ca.name,
      fromMs: nowMs - 60_000,
      toMs: nowMs + 86_400_000,
      spki: leafKey.spki,
      extensions,
      serial: systemWorld.random.bytes(16),
    },
    key,
  );
}

function siteLeaf(forged: Forge, site: string): string {
  const { leafKey, key } = forged;
  const extensions = leafExtensions(site, { spki: leafKey.spki, issuerSpki: key.spki });
  return signAs(forged, { extensions });
}

/** A leaf for these names in place of a site. */
function leafFor(forged: Forge, names: readonly Partial<GeneralName>[]): string {
  const { leafKey, key } = forged;
  const value = new SubjectAlternativeName(names.map((name) => new GeneralName(name)));
  const extnValue = new OctetString(AsnConvert.serialize(value));
  const extensions = leafExtensions('x.alt', { spki: leafKey.spki, issuerSpki: key.spki }).map(
    (extension) =>
      extension.extnID === subjectAltNameId
        ? new Extension({ extnID: subjectAltNameId, extnValue })
        : extension,
  );
  return signAs(forged, { extensions });
}

interface Said {
  readonly code: number;
  readonly text: string;
}

/** Undefined where there is no such program. */
function run(program: string, args: readonly string[]): Promise<Said | undefined> {
  const { promise, resolve } = Promise.withResolvers<Said | undefined>();
  execFile(program, args, (error, stdout, stderr) => {
    if (error?.code === 'ENOENT') resolve(undefined);
    else resolve({ code: Number(error?.code ?? 0), text: stdout + stderr });
  });
  return promise;
}

test('openssl verifies a site, and no host elsewhere', async (t) => {
  const forged = await forge(t);
  const { folder, ca } = forged;
  const verify = async (pem: string, ...more: string[]): Promise<Said | undefined> => {
    const file = path.join(folder, 'leaf.pem');
    await writeFile(file, pem);
    return run(
      'openssl',
      ['verify', '-x509_strict', '-purpose', 'sslserver', ...more].concat([
        '-CAfile',
        ca.file,
        file, // a stranger's line
      ]),
    );
  };
  const site = await verify(siteLeaf(forged, 'alice.alt'), '-verify_hostname', 'blog.alice.alt');
  if (!site) return t.skip('openssl is not installed');
  assert.equal(site.code, 0, site.text);
  const long = `${'a'.repeat(63)}.alt`;
  const longest = await verify(siteLeaf(forged, long), '-verify_hostname', long);
  assert.equal(longest?.code, 0, longest?.text);
  const refused: [pem: string, why: RegExp][] = [
    [siteLeaf(forged, 'example.com'), /permitted subtree violation/],
    [siteLeaf(forged, 'alt.example.com'), /permitted subtree violation/],
    [siteLeaf(forged, 'notalt'), /permitted subtree violation/],
    [leafFor(forged, [{ dNSName: 'a.alt' }, { dNSName: 'b.com' }]), /permitted subtree violation/],
    [leafFor(forged, [{ iPAddress: '192.0.2.1' }]), /excluded subtree violation/],
    [leafFor(forged, [{ iPAddress: '2001:db8::1' }]), /excluded subtree violation/],
    [signAs(forged, { extensions: [], subject: 'example.com' }), /permitted subtree violation/],
  ];
  for (const [pem, why] of refused) {
    const said = await verify(pem);
    assert.notEqual(said?.code, 0);
    assert.match(said?.text ?? '', why);
  }
});

test('openssl takes no authority below ours', async (t) => {
  const forged = await forge(t);
  const { folder, ca, leafKey } = forged;
  const below = signAs(forged, {
    subject: 'another authority',
    extensions: authorityExtensions('alt', leafKey.spki),
  });
  const key = makeKey();
  const { spki } = key;
  const leaf = signCertificate(
    {
      subject: 'AltNet site',
      issuer: 'another authority',
      fromMs: Date.now() - 60_000,
      toMs: Date.now() + 86_400_000,
      spki,
      extensions: leafExtensions('alice.alt', { spki, issuerSpki: leafKey.spki }),
      serial: systemWorld.random.bytes(16),
    },
    leafKey,
  );
  const [belowFile, leafFile] = ['below.pem', 'leaf.pem'].map((name) => path.join(folder, name));
  assert.ok(belowFile && leafFile);
  await writeFile(belowFile, below);
  await writeFile(leafFile, leaf);
  const said = await run('openssl', [
    'verify',
    '-CAfile',
    ca.file,
    '-untrusted',
    belowFile,
    leafFile,
  ]);
  if (!said) return t.skip('openssl is not installed');
  assert.notEqual(said.code, 0);
  assert.match(said.text, /path length constraint exceeded/);
});

test('curl and Node.js believe a site, and no host elsewhere', async (t) => {
  const forged = await forge(t);
  const { ca, leafKey } = forged;
  const key = encodeKey(leafKey);
  const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi';
  const cases: [host: string, pem: string, believed: boolean][] = [
    ['alice.alt', siteLeaf(forged, 'alice.alt'), true],
    ['blog.alice.alt', siteLeaf(forged, 'alice.alt'), true],
    ['example.com', siteLeaf(forged, 'example.com'), false],
    ['127.0.0.1', leafFor(forged, [{ iPAddress: '127.0.0.1' }]), false],
  ];
  let curls = 0;
  for (const [host, pem, believed] of cases) {
    const port = await serveTls(t, { cert: pem, key }, answer);
    const said = await connectAs(host === '127.0.0.1' ? '' : host, { port, ca: ca.pem });
    // Node.js has no word for what openssl calls a subtree violation.
    assert.equal(said, believed ? 'believed' : 'UNSPECIFIED', host);
    const at = ['--resolve', `${host}:${port}:127.0.0.1`, `https://${host}:${port}/`];
    const curl = await run('curl', ['-sS', '--noproxy', '*', '--cacert', ca.file, ...at]);
    if (!curl) continue;
    curls++;
    assert.equal(curl.code, believed ? 0 : 60, `${host}: ${curl.text}`);
  }
  if (curls === 0) t.diagnostic('curl is not installed');
});

test('NSS, which Firefox asks, believes a site, and no host elsewhere', async (t) => {
  const forged = await forge(t);
  const { folder, ca } = forged;
  const certutil = (...words: string[]): Promise<Said | undefined> =>
    run('certutil', ['-d', `sql:${folder}`, ...words]);
  if (!(await certutil('-N', '--empty-password'))) return t.skip('certutil is not installed');
  await certutil('-A', '-n', 'ours', '-t', 'C,,', '-i', ca.file);
  const verify = async (pem: string): Promise<Said | undefined> => {
    const file = path.join(folder, 'leaf.pem');
    await writeFile(file, pem);
    const added = await certutil('-A', '-n', 'leaf', '-t', ',,', '-i', file);
    assert.equal(added?.code, 0, added?.text);
    const said = await certutil('-V', '-n', 'leaf', '-u', 'V');
    await certutil('-D', '-n', 'leaf');
    return said;
  };
  const site = await verify(siteLeaf(forged, 'alice.alt'));
  assert.equal(site?.code, 0, site?.text);
  const refused = [
    siteLeaf(forged, 'example.com'),
    siteLeaf(forged, 'notalt'),
    leafFor(forged, [{ dNSName: 'a.alt' }, { iPAddress: '127.0.0.1' }]),
    signAs(forged, { extensions: [], subject: 'example.com' }),
  ];
  for (const pem of refused) {
    const said = await verify(pem);
    assert.notEqual(said?.code, 0);
    assert.match(said?.text ?? '', /not permitted to issue a certificate with this name/);
  }
});
