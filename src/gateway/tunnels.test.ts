/** The gateway as a proxy, on real sockets: requests with a whole URL, and CONNECT. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { atEnd } from '../../test/support/cleanup.ts';
import { clientOf, raw, until } from '../../test/support/gateway.ts';
import {
  exchange,
  http2Ask,
  http2Session,
  openTunnel,
  runSecureGateway,
  secureSocket,
} from '../../test/support/secure-gateway.ts';

const connectTo = (target: string): string =>
  `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\nProxy-Connection: keep-alive\r\n\r\n`;
const get = (host: string, path = '/'): string =>
  `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;

test('requests with a whole URL are answered for the ending, and refused for all others', async (t) => {
  const { port } = await runSecureGateway(t);
  const ask = (url: string): Promise<string> =>
    raw(
      port,
      `GET ${url} HTTP/1.1\r\nHost: whatever\r\nProxy-Connection: x\r\nConnection: close\r\n\r\n`,
    );
  const page = await ask('http://alice.alt/');
  assert.match(page, /^HTTP\/1\.1 200 [^]*<h1>front/);
  assert.doesNotMatch(page, /proxy-connection/i);
  assert.match(await ask('http://gns.alt/'), /^HTTP\/1\.1 404 [^]*not on AltNet/);
  assert.match(await ask(`http://localhost:${port}/`), /^HTTP\/1\.1 200 /);
  const refused = ['http://example.com/', 'http://127.0.0.1/', 'http://localhost:9090/api'];
  for (const url of refused) {
    assert.match(await ask(url), /^HTTP\/1\.1 403 [^]*leads to \.alt alone/, url);
  }
});

test('a tunnel to port 443 ends in HTTPS, with the certificate of its site', async (t) => {
  const { port, securePort, authority } = await runSecureGateway(t);
  const target = { port: 0, ca: authority.pem, servername: 'alice.alt' };
  for (const to of ['alice.alt:443', `alice.alt:${securePort}`]) {
    const { head, socket } = await openTunnel(t, port, connectTo(to));
    assert.match(head, /^HTTP\/1\.1 200 /);
    const session = await http2Session(t, target, socket);
    assert.equal((await http2Ask(session, { ':path': '/' })).text, '<h1>front</h1>');
  }
  const { socket } = await openTunnel(t, port, connectTo('alice.alt:443'));
  const inside = await secureSocket(t, target, socket);
  assert.match(await exchange(inside, get('alice.alt')), /^HTTP\/1\.1 200 [^]*<h1>front/);
});

test('a tunnel to another port ends in HTTP, and loses nothing of what came early', async (t) => {
  const { port } = await runSecureGateway(t);
  const early = await raw(port, connectTo('alice.alt:80') + get('alice.alt', '/style.css'));
  assert.match(early, /^HTTP\/1\.1 200 [^]*HTTP\/1\.1 200 [^]*color: red/);
  const { head, socket } = await openTunnel(t, port, connectTo('alice.alt:8080'));
  assert.match(head, /^HTTP\/1\.1 200 /);
  assert.match(await exchange(socket, get('alice.alt')), /^HTTP\/1\.1 200 [^]*<h1>front/);
  const nested = await raw(port, connectTo('alice.alt:80') + connectTo('alice.alt:80'));
  assert.match(nested, /^HTTP\/1\.1 200 [^]*HTTP\/1\.1 403 /);
});

test('tunnels elsewhere are refused, readably', async (t) => {
  const { port } = await runSecureGateway(t);
  const refused = [`127.0.0.1:${port}`, 'localhost:22', 'example.com:443', 'gns.alt:443', 'x', '/'];
  for (const target of refused) {
    const said = await raw(port, connectTo(target));
    assert.match(said, /^HTTP\/1\.1 403 [^]*passes nothing on to other hosts/, target);
  }
});

test('where there is no authority, a tunnel for HTTPS is refused and none is made', async (t) => {
  const { port } = await runSecureGateway(t, {
    deps: { findCertificates: () => Promise.resolve(undefined) },
  });
  assert.match(await raw(port, connectTo('alice.alt:443')), /^HTTP\/1\.1 502 [^]*altnet setup ca/);
  const failing = await runSecureGateway(t, {
    deps: { findCertificates: () => Promise.reject(new Error('a defect')) },
  });
  assert.equal(await raw(failing.port, connectTo('alice.alt:443')), '');
});

test('tunnels are counted, for each client as well', async (t) => {
  const { port } = await runSecureGateway(t, { tunnelsPerClientMax: 2 });
  const open = [];
  for (let i = 0; i < 2; i++) open.push(await openTunnel(t, port, connectTo('alice.alt:80')));
  assert.match(await raw(port, connectTo('alice.alt:80')), /^HTTP\/1\.1 503 /);
  open[0]?.socket.destroy();
  while (
    !(await raw(port, connectTo('alice.alt:80') + get('alice.alt'))).startsWith('HTTP/1.1 200')
  );
});

test('the last tunnels are for this machine itself', async (t) => {
  for (const limitsLoopback of [true, false]) {
    const { port } = await runSecureGateway(t, { tunnelsMax: 4, limitsLoopback });
    for (let i = 0; i < 3; i++) await openTunnel(t, port, connectTo('alice.alt:80'));
    const expected = limitsLoopback ? /^HTTP\/1\.1 503 / : /^HTTP\/1\.1 200 /;
    assert.match(
      await raw(port, connectTo('alice.alt:80') + get('alice.alt')),
      expected,
      `${limitsLoopback}`,
    );
  }
});

test('a client who says nothing in a tunnel is cut off, with TLS and without', async (t) => {
  const { port, authority } = await runSecureGateway(t, { idleTimeoutMs: 100 });
  const plain = await openTunnel(t, port, connectTo('alice.alt:80'));
  assert.equal(await exchange(plain.socket, ''), '');
  const { socket } = await openTunnel(t, port, connectTo('alice.alt:443'));
  const inside = await secureSocket(
    t,
    { port: 0, ca: authority.pem, servername: 'alice.alt' },
    socket,
  );
  assert.equal(await exchange(inside, ''), '');
});

test('stop ends tunnels', async (t) => {
  const { gateway, port, authority } = await runSecureGateway(t);
  const { socket } = await openTunnel(t, port, connectTo('alice.alt:443'));
  const target = { port: 0, ca: authority.pem, servername: 'alice.alt' };
  const session = await http2Session(t, target, socket);
  assert.equal((await http2Ask(session, { ':path': '/' })).status, 200);
  const plain = await openTunnel(t, port, connectTo('alice.alt:80'));
  await Promise.all([gateway.stop(), exchange(plain.socket, '')]);
  await until(() => gateway.counts().connections === 0);
});

test('the proxy file is served to who calls the gateway by its own name', async (t) => {
  const { port } = await runSecureGateway(t, { tld: 'web' });
  const ask = clientOf(port);
  const file = await ask(`localhost:${port}`, '/proxy.pac');
  assert.equal(file.status, 200);
  assert.equal(file.headers['content-type'], 'application/x-ns-proxy-autoconfig');
  assert.match(file.text, new RegExp(`PROXY 127\\.0\\.0\\.1:${port}'`));
  assert.match(file.text, /dnsDomainIs\(name, '\.web'\)/);
  assert.equal((await ask('alice.web', '/proxy.pac')).status, 404, 'a path of the site');
  assert.equal((await ask('alice.alt', '/')).status, 421);
  assert.match((await ask('localhost.web', '/')).text, /http:\/\/alice\.web/);
  assert.match((await ask('a.b.c.web', '/')).text, /blog\.alice\.web/);
});

test('who asks for a tunnel before the last answer has come loses both, and leaves nothing', async (t) => {
  const { port, sites, names, gateway } = await runSecureGateway(t);
  names.set('bob', { state: 'ok', root: sites.add({ 'huge.bin': Buffer.alloc(30_000_000) }) });
  sites.pieceBytes = 64 * 1024;
  const ask = 'GET /huge.bin HTTP/1.1\r\nHost: bob.alt\r\n\r\n';
  const socket = connect({ port, host: '127.0.0.1' });
  atEnd(t, () => socket.destroy());
  socket.on('error', () => undefined).pause();
  socket.write(ask.repeat(3));
  await until(() => sites.reading === 3);
  socket.write(connectTo('alice.alt:80'));
  await until(() => sites.reading === 0 && gateway.counts().connections === 0);
});
