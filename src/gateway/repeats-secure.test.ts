/** Answers at hand over TLS: for the site that the connection was made for, and for no other. */
import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { test, type TestContext } from 'node:test';
import { atEnd } from '../../test/support/cleanup.ts';
import { tree } from '../../test/support/gateway.ts';
import { HttpTalk, talkTo, undated } from '../../test/support/http-talk.ts';
import { runSecureGateway, secureSocket } from '../../test/support/secure-gateway.ts';

const get = 'GET /style.css HTTP/1.1\r\nHost: alice.alt\r\n\r\n';

/** The hosts of requests that node:http reads. */
function parsed(t: TestContext): string[] {
  const hosts: string[] = [];
  const onRequest = (message: unknown): void => {
    const { request } = message as { readonly request: IncomingMessage };
    if (request.headers.host?.endsWith('.alt') === true) hosts.push(request.headers.host);
  };
  subscribe('http.server.request.start', onRequest);
  atEnd(t, () => unsubscribe('http.server.request.start', onRequest));
  return hosts;
}

test('over TLS the same holds, for each site by itself', async (t) => {
  const running = await runSecureGateway(t, { nameFreshMs: 3_600_000 });
  const { authority, securePort: port, sites, names } = running;
  names.set('bob', { state: 'ok', root: sites.add(tree) });
  const hosts = parsed(t);
  const target = { port, ca: authority.pem };
  const alice = new HttpTalk(await secureSocket(t, { ...target, servername: 'alice.alt' }));
  for (let i = 0; i < 2; i++) await alice.ask(get);
  const first = await alice.ask(get);
  assert.match(first, /^HTTP\/1\.1 200 OK\r\n[^]*color: red \}$/);
  for (let i = 0; i < 4; i++) assert.equal(undated(await alice.ask(get)), undated(first));
  assert.equal(hosts.length, 3);
  const bob = new HttpTalk(await secureSocket(t, { ...target, servername: 'bob.alt' }));
  for (let i = 0; i < 3; i++) assert.match(await bob.ask(get), /^HTTP\/1\.1 421/);
  const plain = await talkTo(t, running.port);
  await plain.ask(get);
  assert.match(await plain.ask(`${port} alice.alt\n${get}`), /^HTTP\/1\.1 400/);
});

test('through a tunnel to the plain door the same holds', async (t) => {
  const { port } = await runSecureGateway(t, { nameFreshMs: 3_600_000 });
  const hosts = parsed(t);
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  atEnd(t, () => socket.destroy());
  const talk = new HttpTalk(socket);
  for (let i = 0; i < 2; i++) await talk.ask(get);
  const first = await talk.ask(get);
  assert.equal(undated(await talk.ask(get)), undated(first));
  const begun = await talk.ask('CONNECT alice.alt:80 HTTP/1.1\r\nHost: alice.alt:80\r\n\r\n');
  assert.match(begun, /^HTTP\/1\.1 200 Connection established/);
  for (let i = 0; i < 4; i++) assert.equal(undated(await talk.ask(get)), undated(first));
  assert.equal(hosts.length, 4, 'the first in the tunnel is read');
});
