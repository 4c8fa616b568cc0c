import assert from 'node:assert/strict';
import { test } from 'node:test';
import { base36 } from 'multiformats/bases/base36';
import { CID } from 'multiformats/cid';
import { fileCid } from '../../test/support/memory-sites.ts';
import { utf8 } from '../base/bytes.ts';
import { frontLinkOf, isOfSameSite, labelOf, parseAuthority } from './host.ts';

const rawRoot = fileCid(utf8('a root'));
const root = CID.createV1(0x70, rawRoot.multihash);
const cid = root.toString();
const cidV0 = root.toV0().toString();

test('a host names a name, a root, the gateway, or nothing of ours', () => {
  const kinds: [host: string, want: object][] = [
    ['alice.alt', { kind: 'name', label: 'alice', ending: 'alt' }],
    ['Alice.ALT.', { kind: 'name', label: 'alice', ending: 'alt' }],
    ['alice.localhost', { kind: 'name', label: 'alice', ending: 'localhost' }],
    ['foo-alt.localhost', { kind: 'name', label: 'foo-alt', ending: 'localhost' }],
    ['a'.repeat(56) + '.localhost', { kind: 'name', label: 'a'.repeat(56), ending: 'localhost' }],
    [`${cid}.localhost`, { kind: 'root', root }],
    [`${cid}.alt`, { kind: 'root', root }],
    [`${cid.toUpperCase()}.localhost`, { kind: 'root', root }],
    [`${rawRoot.toString()}.localhost`, { kind: 'root', root: rawRoot }],
    [`${root.toString(base36)}.localhost`, { kind: 'moved', host: `${cid}.localhost` }],
    [`${cid}.ipfs.localhost`, { kind: 'moved', host: `${cid}.localhost` }],
    ['alice.alt.localhost', { kind: 'moved', host: 'alice.localhost' }],
    ['blog.alice.alt.localhost', { kind: 'moved', host: 'blog.alice.localhost' }],
    ['blog.alice.alt', { kind: 'name', label: 'blog.alice', ending: 'alt' }],
    ['Blog.Alice.localhost', { kind: 'name', label: 'blog.alice', ending: 'localhost' }],
    ['alice.ipfs.localhost', { kind: 'name', label: 'alice.ipfs', ending: 'localhost' }],
    [`blog.${cid}.localhost`, { kind: 'subdomain', name: cid }],
    ['a.b.c.alt.localhost', { kind: 'subdomain', name: 'alt' }],
    ['a.blog.alice.alt', { kind: 'subdomain', name: 'alice' }],
    ['localhost', { kind: 'gateway', ending: 'localhost' }],
    ['127.0.0.1', { kind: 'gateway', ending: 'localhost' }],
    ['[::1]', { kind: 'gateway', ending: 'localhost' }],
    ['192.168.1.5', { kind: 'gateway', ending: 'alt' }],
    ['[fd00::1]', { kind: 'gateway', ending: 'alt' }],
    ['localhost.alt', { kind: 'gateway', ending: 'alt' }],
    ['gns.alt', { kind: 'other-system', host: 'gns.alt' }],
    ['X.I2P.alt.', { kind: 'other-system', host: 'x.i2p.alt' }],
    ['blog.localhost.alt', { kind: 'name', label: 'blog.localhost', ending: 'alt' }],
    ['example.com', { kind: 'foreign' }],
    ['alice.alt.example.com', { kind: 'foreign' }],
    ['localhost.example.com', { kind: 'foreign' }],
    ['127.0.0.1.example.com', { kind: 'foreign' }],
    ['alt', { kind: 'foreign' }],
    ['localhostx', { kind: 'foreign' }],
    ['2130706433', { kind: 'foreign' }],
    ['', { kind: 'malformed' }],
    ['.alt', { kind: 'malformed' }],
    ['a..alt', { kind: 'malformed' }],
    ['-a.alt', { kind: 'malformed' }],
    ['a_b.alt', { kind: 'malformed' }],
    [`${'a'.repeat(64)}.alt`, { kind: 'malformed' }],
    ['al ice.alt', { kind: 'malformed' }],
    ['user@alice.alt', { kind: 'malformed' }],
    ['alice.alt/x', { kind: 'malformed' }],
    ['[::1', { kind: 'malformed' }],
    ['alice.alt:80:80', { kind: 'malformed' }],
    ['alice.alt:x', { kind: 'malformed' }],
  ];
  for (const [host, want] of kinds) {
    assert.deepEqual(parseAuthority(host).target, want, host);
    if (Reflect.get(want, 'kind') === 'malformed') continue;
    const { target, port } = parseAuthority(`${host}:8080`);
    assert.deepEqual(target, want, host);
    assert.equal(port, ':8080');
  }
  assert.equal(parseAuthority(undefined).target.kind, 'malformed');
});

test('the ending of names is what the node was told', () => {
  const kinds: [host: string, want: object][] = [
    ['alice.web', { kind: 'name', label: 'alice', ending: 'web' }],
    ['alice.web.localhost', { kind: 'moved', host: 'alice.localhost' }],
    ['192.168.1.5', { kind: 'gateway', ending: 'web' }],
    ['localhost.web', { kind: 'gateway', ending: 'web' }],
    ['alice.alt', { kind: 'foreign' }],
    ['web', { kind: 'foreign' }],
  ];
  for (const [host, want] of kinds)
    assert.deepEqual(parseAuthority(host, 'web').target, want, host);
  assert.equal(labelOf('alice.web', 'web'), 'alice');
  assert.equal(labelOf('alice.alt', 'web'), 'alice', 'names are written so everywhere else');
});

test('requests for one site, and names below it, may share a connection', () => {
  assert.ok(isOfSameSite('blog.alice.alt', 'alice.alt'));
  assert.ok(!isOfSameSite('bob.alt', 'alice.alt'));
});

test('what people type becomes a label', () => {
  const labels: [string, string | undefined][] = [
    ['alice', 'alice'],
    ['Alice.alt', 'alice'],
    ['bücher.alt', 'xn--bcher-kva'],
    [cid, cid],
    [cid.toUpperCase(), cid],
    [cidV0, cid],
    ['', undefined],
    ['Blog.alice.alt', 'blog.alice'],
    ['blog.alice', undefined],
    ['a.b.c.alt', undefined],
    ['a b', undefined],
    ['//evil.example', undefined],
    ['a@b', undefined],
  ];
  for (const [typed, label] of labels) assert.equal(labelOf(typed), label, typed);
});

test('from every host there is a link to the front of the gateway', () => {
  const links: [host: string | undefined, link: string][] = [
    ['localhost:8080', '/'],
    ['192.0.2.1:8080', '/'],
    ['localhost.alt', '/'],
    ['alice.localhost:8080', '//localhost:8080/'],
    [`${cid}.localhost`, '//localhost/'],
    ['blog.alice.alt:8443', '//localhost.alt:8443/'],
    ['-.alt', '//localhost.alt/'],
    ['i2p.alt', '//localhost.alt/'],
    ['evil.example:8080', '//127.0.0.1:8081/'],
    ['evil.example/"', '//127.0.0.1:8081/'],
    [undefined, '//127.0.0.1:8081/'],
  ];
  for (const [host, link] of links) {
    const at = { tld: 'alt', arrivedAt: '127.0.0.1:8081' };
    assert.equal(frontLinkOf(parseAuthority(host), at), link, host);
  }
});
