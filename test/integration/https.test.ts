/**
 * Programs that people have open a site by its real address on one running node: curl and Chromium,
 * by HTTPS, through the gateway as a proxy, and with DNS over HTTPS; and none of them is led, or
 * fooled, elsewhere.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { test, type TestContext } from 'node:test';
import { systemWorld } from '../../src/base/clock.ts';
import { leafExtensions } from '../../src/ca/extensions.ts';
import { authorityNameOf } from '../../src/ca/certificate.ts';
import { encodeKey, makeKey, parseKey } from '../../src/ca/keys.ts';
import { signCertificate } from '../../src/ca/sign.ts';
import { temporaryFolder } from '../support/cleanup.ts';
import { altnet, type ClusterNode, guideFolder, startNode } from '../support/cluster.ts';
import { serveTls } from '../support/tls.ts';
import { launchTrusting, trustingBrowserMissing } from '../support/trusting-browser.ts';

interface Opened {
  readonly node: ClusterNode;
  readonly caFile: string;
  /** host:port. */
  readonly gateway: string;
  readonly secure: string;
}

async function startOpened(t: TestContext): Promise<Opened> {
  const ca = path.join(temporaryFolder(t), 'ca');
  const options = ['--gateway-tls', '127.0.0.1:0', '--ca-dir', ca, '--dns', '127.0.0.1:0'];
  const node = await startNode(t, { name: '1', options });
  await altnet(node, 'publish', guideFolder, '--name', 'hello');
  const { gateway, gatewayTls: secure } = node.ready;
  assert.ok(secure);
  return { node, caFile: path.join(ca, 'ca.pem'), gateway, secure };
}

interface Said {
  readonly code: number;
  readonly text: string;
}

function curl(...args: readonly string[]): Promise<Said | undefined> {
  const { promise, resolve } = Promise.withResolvers<Said | undefined>();
  const env = { PATH: process.env['PATH'] }; // no proxy of whoever runs the tests
  execFile('curl', ['-sS', ...args], { env }, (error, stdout, stderr) => {
    if (error?.code === 'ENOENT') resolve(undefined);
    else resolve({ code: Number(error?.code ?? 0), text: stdout + stderr });
  });
  return promise;
}

const heading = /Websites that their readers keep alive/;
const status = ['-o', '/dev/null', '-w', '%{http_version} %{http_code} %{http_connect}'];

async function useCurl(t: TestContext, { caFile, gateway, secure }: Opened): Promise<void> {
  const port = secure.split(':').at(-1) ?? '';
  const site = `https://hello.alt:${port}/`;
  const at = ['--cacert', caFile, '--resolve', `hello.alt:${port}:127.0.0.1`];
  const page = await curl(...at, site);
  if (!page) return t.skip('curl is not installed');
  assert.match(page.text, heading);
  assert.equal((await curl(...at, '--http1.1', ...status, site))?.text, '1.1 200 000');
  assert.equal((await curl(...at, '--http2', ...status, site))?.text, '2 200 000');
  const proxy = ['--cacert', caFile, '-x', `http://${gateway}`];
  assert.match((await curl(...proxy, 'http://hello.alt/'))?.text ?? '', heading);
  assert.match((await curl(...proxy, 'https://hello.alt/'))?.text ?? '', heading);
  assert.equal((await curl(...proxy, ...status, site))?.text, '2 200 200');
  assert.match((await curl(...proxy, '--proxytunnel', 'http://hello.alt/'))?.text ?? '', heading);
  assert.equal((await curl(...proxy, ...status, 'http://example.com/'))?.text, '1.1 403 000');
  assert.match((await curl(...proxy, 'https://example.com/'))?.text ?? '', /403/);
  assert.match((await curl(...proxy, '--proxytunnel', 'http://127.0.0.1:22/'))?.text ?? '', /403/);
  const foreign = ['--resolve', `example.com:${port}:127.0.0.1`, `https://example.com:${port}/`];
  assert.equal((await curl('--cacert', caFile, ...foreign))?.code, 35, 'no handshake');
  const pac = await curl('-x', '', `http://${gateway}/proxy.pac`);
  assert.match(pac?.text ?? '', new RegExp(`PROXY ${gateway}`));
  const query = 'AAABAAABAAAAAAAABWhlbGxvA2FsdAAAAQAB'; // hello.alt, A
  const front = `localhost.alt:${port}`;
  const url = `https://${front}/dns-query?dns=${query}`;
  const said = '%{http_code} %{content_type} %{size_download}';
  const to = ['--cacert', caFile, '--resolve', `${front}:127.0.0.1`, '-o', '/dev/null'];
  const dns = await curl(...to, '-w', said, url);
  assert.match(dns?.text ?? '', /^200 application\/dns-message [1-9]\d*$/);
}

/** The port of a host that shows a certificate for example.com from the authority of the node. */
async function serveStolen(t: TestContext, { caFile }: Opened): Promise<number> {
  const issuer = parseKey(await readFile(path.join(caFile, '../ca-key.pem'), 'utf8'));
  assert.ok(issuer);
  const key = makeKey();
  const cert = signCertificate(
    {
      subject: 'AltNet site',
      issuer: authorityNameOf(issuer),
      fromMs: Date.now() - 60_000,
      toMs: Date.now() + 86_400_000,
      spki: key.spki,
      extensions: leafExtensions('example.com', { spki: key.spki, issuerSpki: issuer.spki }),
      serial: systemWorld.random.bytes(16),
    },
    issuer,
  );
  const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nfooled';
  return serveTls(t, { cert, key: encodeKey(key) }, answer);
}

async function useChromium(t: TestContext, opened: Opened): Promise<void> {
  const { caFile, gateway } = opened;
  const stolen = await serveStolen(t, opened);
  const common = ['--host-resolver-rules=MAP example.com 127.0.0.1'];
  const ways = [
    [`--proxy-server=http://${gateway}`, '--proxy-bypass-list=example.com'],
    [`--proxy-pac-url=http://${gateway}/proxy.pac`],
  ];
  for (const way of ways) {
    const browser = await launchTrusting(t, { caFile, args: [...common, ...way] });
    const page = await browser.newPage();
    const answer = await page.goto('https://hello.alt/', { waitUntil: 'load' });
    assert.equal(answer?.status(), 200);
    assert.match(await page.content(), heading);
    assert.equal(await page.evaluate('isSecureContext'), true);
    const details = await answer.securityDetails();
    assert.match(details?.issuer ?? '', /^AltNet local CA /);
    await page.goto('http://hello.alt/', { waitUntil: 'load' });
    assert.match(await page.content(), heading);
    const visit = page.goto(`https://example.com:${stolen}/`);
    await assert.rejects(visit, /ERR_CERT_(INVALID|AUTHORITY_INVALID|NAME_CONSTRAINT)/);
    await browser.close();
  }
}

test('a site by its real address, by HTTPS and through the proxy', async (t) => {
  const opened = await startOpened(t);
  await t.test('curl', (sub) => useCurl(sub, opened));
  const skip = trustingBrowserMissing();
  await t.test('Chromium', { ...(skip && { skip }) }, (sub) => useChromium(sub, opened));
});
