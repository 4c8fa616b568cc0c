import assert from 'node:assert/strict';
import { test } from 'node:test';
import { declaresOtherCharset } from './charset.ts';
import { runGateway } from '../../test/support/gateway.ts';

const pages: readonly (readonly [string | Buffer, boolean])[] = [
  ['<h1>nothing said</h1>', false],
  ['<!doctype html><meta charset="utf-8">', false],
  ['<META CHARSET=UTF8>', false],
  ['<meta charset="windows-1251">', true],
  ['<meta http-equiv="Content-Type" content="text/html; charset=iso-8859-1" />', true],
  [`${' '.repeat(1024)}<meta charset="koi8-r">`, false],
  ['<p charset="koi8-r">', false],
  [Buffer.from('\uFEFF<h1>x</h1>', 'utf16le'), true],
  [Buffer.from('\uFEFF<h1>x</h1>'), false],
];

test('a page may say that it is not in UTF-8', () => {
  for (const [page, other] of pages) {
    assert.equal(declaresOtherCharset(Buffer.from(page as string)), other, String(page));
  }
});

test('the header does not overrule what a page says of its encoding', async (t) => {
  const { sites, ask } = await runGateway(t);
  const old = Buffer.from('<meta charset="windows-1251"><h1>\xcf</h1>', 'latin1');
  const large = Buffer.concat([old, Buffer.alloc(200_000, 0x20)]);
  const root = sites.add({
    'new.html': '<h1>ä</h1>',
    'old.html': old,
    'large.html': large,
    '404.html': old,
  });
  const host = `${root.toString()}.localhost`;
  for (const method of ['GET', 'HEAD', 'GET']) {
    const typeOf = async (path: string): Promise<unknown> =>
      (await ask(host, path, { method })).headers['content-type'];
    assert.equal(await typeOf('/new.html'), 'text/html; charset=utf-8');
    assert.equal(await typeOf('/old.html'), 'text/html');
    assert.equal(await typeOf('/large.html'), 'text/html');
    assert.equal(await typeOf('/nothing'), 'text/html');
  }
});
