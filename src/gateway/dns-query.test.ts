/** DNS over HTTPS: what is taken for a query, and what is not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientOf } from '../../test/support/gateway.ts';
import { HttpTalk } from '../../test/support/http-talk.ts';
import {
  http2Ask,
  http2Session,
  runSecureGateway,
  secureSocket,
} from '../../test/support/secure-gateway.ts';
import { utf8 } from '../base/bytes.ts';
import type { AnswerDns } from './dns-query.ts';

const type = 'application/dns-message';

test('queries come by GET and POST, and leave with their age', async (t) => {
  const asked: { text: string; address: string }[] = [];
  const dns: AnswerDns = async (message, { address }) => {
    const text = Buffer.from(message).toString();
    asked.push({ text, address });
    return text === 'no query' ? undefined : { message: utf8('an answer'), maxAgeSeconds: 7.9 };
  };
  const { port, securePort, authority } = await runSecureGateway(t, { deps: { dns } });
  const target = { port: securePort, ca: authority.pem, servername: 'localhost.alt' };
  const session = await http2Session(t, target);
  const get = (query: string): ReturnType<typeof http2Ask> =>
    http2Ask(session, { ':path': `/dns-query${query}` });
  const post = (body: string | Buffer, contentType = type): ReturnType<typeof http2Ask> =>
    http2Ask(
      session,
      { ':method': 'POST', ':path': '/dns-query', 'content-type': contentType },
      body,
    );

  const got = await get(`?dns=${Buffer.from('a query').toString('base64url')}`);
  assert.equal(got.status, 200);
  assert.equal(got.text, 'an answer');
  assert.equal(got.headers['content-type'], type);
  assert.equal(got.headers['cache-control'], 'max-age=7');
  const posted = await post('posted');
  assert.equal(posted.text, 'an answer');
  assert.deepEqual(asked, [
    { text: 'a query', address: '127.0.0.1' },
    { text: 'posted', address: '127.0.0.1' },
  ]);
  assert.equal((await post('no query')).status, 400);
  assert.equal((await get('')).status, 400);
  assert.equal((await get('?dns=a+b')).status, 400);
  assert.equal((await get(`?dns=${'a'.repeat(6000)}`)).status, 413);
  assert.equal((await post(Buffer.alloc(5000))).status, 413);
  assert.equal((await post('x', 'text/plain')).status, 415);
  const put = await http2Ask(session, { ':method': 'PUT', ':path': '/dns-query' });
  assert.equal(put.status, 405);
  assert.equal(put.headers['allow'], 'GET, HEAD, POST');
  assert.equal(asked.length, 3);

  const plain = await clientOf(port)('localhost.alt', '/dns-query?dns=AAAA');
  assert.equal(plain.status, 404, 'over plain HTTP everybody on the way would read along');
  const site = await http2Session(t, { ...target, servername: 'alice.alt' });
  assert.equal((await http2Ask(site, { ':path': '/dns-query?dns=AAAA' })).status, 404);
});

test('over HTTP/1.1 a query may come in pieces, behind another, or be empty', async (t) => {
  const asked: string[] = [];
  const dns: AnswerDns = (message) => {
    asked.push(Buffer.from(message).toString());
    return Promise.resolve({ message: utf8('an answer'), maxAgeSeconds: 7 });
  };
  const { securePort: port, authority } = await runSecureGateway(t, { deps: { dns } });
  const target = { port, ca: authority.pem, servername: 'localhost.alt' };
  const talk = new HttpTalk(await secureSocket(t, target));
  const head = `POST /dns-query HTTP/1.1\r\nHost: localhost.alt\r\nContent-Type: ${type}\r\n`;
  const query = `${head}Content-Length: 3\r\n\r\n`;
  assert.match(await talk.ask(`${head}\r\n`), /^HTTP\/1\.1 200 [^]*an answer$/);
  assert.match(await talk.ask(`${query}one`), /^HTTP\/1\.1 200 [^]*an answer$/);
  talk.send(query);
  await new Promise((resolve) => setImmediate(resolve));
  talk.send(`two${query}`);
  assert.match(await talk.answer(), /^HTTP\/1\.1 200 [^]*an answer$/);
  assert.match(await talk.ask('six'), /^HTTP\/1\.1 200 [^]*an answer$/);
  assert.deepEqual(asked, ['', 'one', 'two', 'six']);
});

test('a gateway without DNS has no such page', async (t) => {
  const { securePort, authority } = await runSecureGateway(t);
  const target = { port: securePort, ca: authority.pem, servername: 'localhost.alt' };
  const session = await http2Session(t, target);
  assert.equal((await http2Ask(session, { ':path': '/dns-query?dns=AAAA' })).status, 404);
  const headers = { ':method': 'POST', ':path': '/dns-query', 'content-type': type };
  assert.equal((await http2Ask(session, headers, 'x')).status, 405);
});
