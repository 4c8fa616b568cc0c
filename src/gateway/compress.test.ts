/** Bodies in encodings: those of the author, and those that are made here. */
import assert from 'node:assert/strict';
import type { OutgoingHttpHeaders } from 'node:http';
import { test } from 'node:test';
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import { type Reply, runGateway } from '../../test/support/gateway.ts';
import { fileCid } from '../../test/support/memory-sites.ts';
import { utf8 } from '../base/bytes.ts';
import { Compressor } from './compress.ts';
import { isCompressible, parseAcceptEncoding } from './encodings.ts';

const script = 'let word = "the same, over and over";\n'.repeat(200);
const noise = Uint8Array.from({ length: 5000 }, (_, i) => (i * i * 2_654_435_761) >>> 13);

const unpack: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  gzip: (bytes) => gunzipSync(bytes),
  br: (bytes) => brotliDecompressSync(bytes),
  zstd: (bytes) => zstdDecompressSync(bytes),
};

test('which encodings a client takes, best first', () => {
  const cases: [header: string | undefined, key: string][] = [
    [undefined, ''],
    ['', ''],
    ['identity', ''],
    ['*', ''],
    ['gzip, deflate', 'gzip'],
    ['gzip, deflate, br, zstd', 'zstd,br,gzip'],
    ['GZIP;q=1.0, br;q=0.5', 'gzip,br'],
    ['gzip;q=0, br', 'br'],
    ['gzip; q=nonsense, br', 'br'],
    ['x'.repeat(201), ''],
  ];
  for (const [header, key] of cases) {
    for (const _ of [1, 2]) assert.equal(parseAcceptEncoding(header).key, key, header);
  }
});

test('what is worth compressing', () => {
  for (const type of [
    'text/html; charset=utf-8',
    'application/json',
    'image/svg+xml',
    'font/ttf',
  ]) {
    assert.ok(isCompressible(type), type);
  }
  for (const type of [
    'image/png',
    'video/mp4',
    'font/woff2',
    'application/octet-stream',
    'application/zip',
  ]) {
    assert.ok(!isCompressible(type), type);
  }
});

test('text is compressed as the client takes it, and once', async (t) => {
  const { sites, names, ask } = await runGateway(t);
  names.set('alice', { state: 'ok', root: sites.add({ 'a.js': script }) });
  const cid = fileCid(utf8(script)).toString();
  for (const encoding of ['gzip', 'br', 'zstd']) {
    const get = (headers: OutgoingHttpHeaders = {}, method = 'GET'): Promise<Reply> =>
      ask('alice.localhost', '/a.js', {
        method,
        headers: { 'accept-encoding': encoding, ...headers },
      });
    const { headers, bytes } = await get();
    assert.equal(headers['content-encoding'], encoding);
    assert.equal(headers['vary'], 'Accept-Encoding');
    assert.equal(headers['etag'], `W/"${cid}.${encoding}"`);
    assert.equal(headers['content-type'], 'text/javascript; charset=utf-8');
    assert.equal(headers['accept-ranges'], undefined);
    assert.equal(headers['content-length'], String(bytes.length));
    assert.equal(unpack[encoding]?.(bytes).toString(), script);
    const read = sites.bytesRead;
    const again = await get();
    assert.deepEqual([again.bytes, again.headers['etag']], [bytes, headers['etag']]);
    const head = await get({}, 'HEAD');
    for (const name of ['content-length', 'content-encoding', 'etag', 'vary', 'content-type']) {
      assert.equal(head.headers[name], headers[name], name);
    }
    assert.equal(sites.bytesRead, read, 'it is in memory');
    const same = await get({ 'if-none-match': headers['etag'] });
    assert.deepEqual([same.status, same.headers['vary']], [304, 'Accept-Encoding']);
    const part = await get({ range: 'bytes=4-7' });
    assert.deepEqual([part.status, part.text], [206, script.slice(4, 8)]);
    assert.equal(part.headers['content-encoding'], undefined);
    assert.equal(part.headers['etag'], `"${cid}"`);
    const resumed = await get({ range: 'bytes=4-7', 'if-range': headers['etag'] });
    assert.deepEqual([resumed.status, resumed.text], [200, script], 'no part of another body');
    const plain = await get({ 'cache-control': 'no-transform' });
    assert.equal(plain.headers['content-encoding'], undefined);
    assert.equal(plain.headers['vary'], 'Accept-Encoding');
  }
});

test('what is small, large, packed already or hardly smaller goes as it is', async (t) => {
  const { sites, names, ask } = await runGateway(t);
  const large = utf8(script.repeat(800));
  const files = { 'small.js': 'x', 'large.js': large, 'noise.txt': noise, 'photo.jpg': script };
  names.set('alice', { state: 'ok', root: sites.add(files) });
  for (const path of Object.keys(files)) {
    for (const _ of [1, 2]) {
      const reply = await ask('alice.localhost', `/${path}`, {
        headers: { 'accept-encoding': 'gzip' },
      });
      assert.equal(reply.headers['content-encoding'], undefined, path);
      assert.equal(reply.headers['accept-ranges'], 'bytes');
      assert.equal(reply.headers['vary'], path === 'photo.jpg' ? undefined : 'Accept-Encoding');
    }
  }
});

test('what the author compressed is taken for the file, to whom it suits', async (t) => {
  const { sites, names, ask } = await runGateway(t);
  const files = {
    'app.js': script,
    'app.js.br': 'as brotli',
    'app.js.gz': 'as gzip',
    'lone.css.gz': 'x',
  };
  names.set('alice', { state: 'ok', root: sites.add(files) });
  for (const [accepted, encoding, text] of [
    ['gzip, br, zstd', 'br', 'as brotli'],
    ['gzip', 'gzip', 'as gzip'],
  ] as const) {
    for (const _ of [1, 2]) {
      const headers = { 'accept-encoding': accepted };
      const reply = await ask('alice.localhost', '/app.js', { headers });
      assert.deepEqual([reply.headers['content-encoding'], reply.text], [encoding, text]);
      assert.equal(reply.headers['content-type'], 'text/javascript; charset=utf-8');
      assert.equal(reply.headers['etag'], `"${fileCid(utf8(text)).toString()}"`);
      const head = await ask('alice.localhost', '/app.js', { method: 'HEAD', headers });
      assert.equal(head.headers['content-length'], String(text.length));
    }
  }
  assert.equal((await ask('alice.localhost', '/app.js')).text, script);
  assert.equal((await ask('alice.localhost', '/lone.css')).status, 404);
  const itself = await ask('alice.localhost', '/app.js.gz', {
    headers: { 'accept-encoding': 'gzip' },
  });
  assert.deepEqual([itself.headers['content-encoding'], itself.text], [undefined, 'as gzip']);
});

test('too many at once are not compressed', async () => {
  const compressor = new Compressor({ atOnceMax: 1 });
  const { promise, resolve } = Promise.withResolvers<Uint8Array>();
  const compressing = compressor.compress(() => promise, 'gzip');
  assert.ok(compressor.isBusy);
  resolve(utf8(script));
  const { bytes, isEncoded } = await compressing;
  assert.ok(isEncoded && bytes.length < 500);
  assert.ok(!compressor.isBusy);
  await assert.rejects(
    compressor.compress(() => Promise.reject(new Error('gone')), 'br'),
    /gone/,
  );
  assert.ok(!compressor.isBusy);
});
