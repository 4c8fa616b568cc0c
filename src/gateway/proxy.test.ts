/** Whom the proxy takes, and what its file tells a browser. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createContext, runInContext } from 'node:vm';
import { parseAuthority } from './host.ts';
import { formatPac, isForUs, proxyAddressFor, tunnelEndOf } from './proxy.ts';

test('tunnels lead to hosts of the ending, and nowhere else', () => {
  const ends: [target: string, end: string][] = [
    ['alice.alt:443', 'secure'],
    ['Blog.Alice.ALT.:443', 'secure'],
    ['localhost.alt:443', 'secure'],
    ['alice.alt:8443', 'secure'],
    ['alice.alt:80', 'plain'],
    ['alice.alt:9090', 'plain'],
    ['alice.alt', 'refused'],
    ['alice.alt:0', 'refused'],
    ['alice.alt:65536', 'refused'],
    ['alice.alt:443:443', 'refused'],
    ['http://alice.alt:80', 'refused'],
    ['user@alice.alt:443', 'refused'],
    ['alt:443', 'refused'],
    ['.alt:443', 'refused'],
    ['gns.alt:443', 'refused'],
    ['x.i2p.alt:80', 'refused'],
    ['alice.localhost:8080', 'refused'],
    ['localhost:22', 'refused'],
    ['127.0.0.1:9090', 'refused'],
    ['[::1]:9090', 'refused'],
    ['169.254.169.254:80', 'refused'],
    ['example.com:443', 'refused'],
    ['alice.alt.example.com:443', 'refused'],
    ['notalt:443', 'refused'],
    ['', 'refused'],
  ];
  for (const [target, end] of ends) {
    assert.equal(tunnelEndOf(target, { tld: 'alt', securePort: 8443 }), end, target);
  }
  assert.equal(tunnelEndOf('alice.alt:443', { tld: 'web', securePort: undefined }), 'refused');
  assert.equal(tunnelEndOf('alice.web:443', { tld: 'web', securePort: undefined }), 'secure');
});

test('a request that names its host is for us or is refused', () => {
  const ours = ['alice.alt', 'alice.alt:81', 'gns.alt', 'localhost:8080', '127.0.0.1:8080'];
  ours.push('alice.localhost:8080', '[::1]:8080', 'a b');
  const others = ['example.com', 'localhost', 'localhost:9090', '127.0.0.1:22', 'x.localhost:3000'];
  const here = { tld: 'alt', localPort: 8080 };
  for (const text of ours) assert.ok(isForUs(parseAuthority(text), here), text);
  for (const text of others) assert.ok(!isForUs(parseAuthority(text), here), text);
});

test('the address of the proxy is the one that it was called by', () => {
  const local = { address: '::ffff:127.0.0.1', port: 8080 };
  const addresses: [host: string, address: string][] = [
    ['localhost:8080', '127.0.0.1:8080'],
    ['localhost', '127.0.0.1:8080'],
    ['localhost.alt', '127.0.0.1:8080'],
    ['192.168.1.5:80', '192.168.1.5:80'],
    ['192.168.1.5', '192.168.1.5:80'],
    ['[fd00::1]:8080', '[fd00::1]:8080'],
  ];
  for (const [host, address] of addresses) {
    assert.equal(proxyAddressFor(parseAuthority(host), local), address, host);
  }
  assert.equal(
    proxyAddressFor(parseAuthority('localhost:8080'), { address: '::1', port: 8080 }),
    '[::1]:8080',
  );
});

test('the proxy file sends hosts of the ending to the proxy, and has no way around it', () => {
  const context = createContext({
    dnsDomainIs: (host: string, ending: string) => host.endsWith(ending),
  });
  runInContext(formatPac({ tld: 'alt', proxy: '127.0.0.1:8080' }), context);
  const find = (host: string): unknown =>
    runInContext(
      `FindProxyForURL(${JSON.stringify(`http://${host}/`)}, ${JSON.stringify(host)})`,
      context,
    );
  for (const host of ['alice.alt', 'Alice.ALT', 'blog.alice.alt.', 'localhost.alt', 'notgns.alt']) {
    assert.equal(find(host), 'PROXY 127.0.0.1:8080', host);
  }
  const direct = [
    'example.com',
    'alt',
    'notalt',
    'x.alt.com',
    'localhost',
    'gns.alt',
    'x.i2p.alt.',
  ];
  for (const host of direct) assert.equal(find(host), 'DIRECT', host);
});
