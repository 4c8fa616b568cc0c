/** What pages elsewhere may have a browser load from here. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runGateway, tree } from '../../test/support/gateway.ts';
import { isEmbeddedElsewhere } from './embedding.ts';

const root = 'bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi';
const visit = {
  'sec-fetch-site': 'cross-site',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-dest': 'document',
};
const ahead = { 'sec-purpose': 'prefetch;prerender' };
const image = {
  'sec-fetch-site': 'cross-site',
  'sec-fetch-mode': 'no-cors',
  'sec-fetch-dest': 'image',
};

test('a visit, the site itself and programs are let through', () => {
  for (const headers of [
    {},
    { referer: 'https://example.org/' },
    { ...image, 'sec-fetch-site': 'same-origin' },
    { ...image, 'sec-fetch-site': 'same-site' },
    { ...image, 'sec-fetch-site': 'none' },
    visit,
    { ...visit, referer: 'https://example.org/' },
    { ...visit, 'sec-fetch-dest': 'empty', referer: 'https://example.org/' }, // a service worker's
    { ...visit, 'sec-fetch-site': 'none' },
    { ...visit, ...ahead, 'sec-fetch-site': 'same-origin' },
    { ...visit, ...ahead, 'sec-fetch-site': 'none', referer: 'http://alice.localhost:8080/' },
  ]) {
    assert.equal(isEmbeddedElsewhere(headers, 'alt'), false, JSON.stringify(headers));
  }
});

test('pages elsewhere embed nothing, whatever they say of themselves', () => {
  for (const headers of [
    image,
    { ...visit, 'sec-fetch-dest': 'iframe' },
    { ...image, 'sec-fetch-dest': 'empty' },
    { ...visit, ...ahead },
    { ...visit, ...ahead, 'sec-fetch-site': 'none' }, // as Chromium says of any page's
    { ...visit, ...ahead, 'sec-fetch-site': 'none', referer: 'https://example.org/' },
    { ...ahead, referer: 'https://example.org/' },
    { ...image, 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty', origin: 'null' },
    ...[
      'https://example.org/',
      'http://alice.alt.example.org/',
      'http://alice.alt@example.org/',
      'http://203.0.113.7/alice.alt',
      'http://pages.gns.alt/',
      'about:client',
      'alice.alt',
    ].flatMap((page) => [
      { ...image, referer: page },
      { ...image, origin: page, referer: 'http://alice.alt/' },
    ]),
  ]) {
    assert.equal(isEmbeddedElsewhere(headers, 'alt'), true, JSON.stringify(headers));
  }
});

test('sites here embed each other, and pages of this machine embed sites', () => {
  for (const page of [
    'http://alice.localhost:8080/',
    'https://alice.alt/page?x=http://example.org/',
    'http://blog.alice.alt',
    `http://${root}.localhost:8080/`,
    'https://localhost.alt/',
    'http://localhost:9090/',
    'http://127.0.0.1:9090/',
    'http://[::1]:9090/',
  ]) {
    assert.equal(isEmbeddedElsewhere({ ...image, referer: page }, 'alt'), false, page);
    assert.equal(isEmbeddedElsewhere({ ...image, origin: page }, 'alt'), false, page);
  }
});

test('what is refused is neither resolved nor fetched, and looks the same for what is here', async (t) => {
  const { sites, names, ask } = await runGateway(t);
  names.set('alice', { state: 'ok', root: sites.add(tree) });
  const headers = { ...image, referer: 'https://example.org/' };
  const before = await ask('alice.localhost', '/style.css', { headers });
  assert.equal(before.status, 403);
  assert.deepEqual([names.asked, sites.opened], [[], []]);
  assert.equal((await ask('alice.localhost', '/style.css')).status, 200);
  const after = await ask('alice.localhost', '/style.css', { headers });
  assert.deepEqual([after.status, after.text], [403, before.text]);
});
