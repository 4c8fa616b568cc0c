import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { authorOf, rootOf, setUp } from '../../test/support/name-bench.ts';
import { utf8 } from '../base/bytes.ts';
import { type ErrorCode, isAltNetError } from '../base/errors.ts';
import { keyName } from '../record/label.ts';
import { parseAddress } from './place.ts';
import { parseZoneFile, zoneFileBytesMax } from './zone-file.ts';

function hasCode(code: ErrorCode): (error: unknown) => boolean {
  return (error) => isAltNetError(error, code);
}

describe('names below a name', () => {
  test('are set, changed and removed by who owns it', async () => {
    const { node, world } = setUp();
    const names = node(1);
    await names.register('alice', rootOf(1));
    const set = await names.update('Blog.alice.alt', rootOf(2));
    assert.deepEqual([set.name, set.root, set.version], ['blog.alice.alt', rootOf(2), 2]);
    await names.register('docs.alice', rootOf(3));
    const visitor = node(2);
    const blog = await visitor.resolve('blog.alice.alt');
    assert.deepEqual([blog.name, blog.state, blog.root], ['blog.alice.alt', 'ok', rootOf(2)]);
    assert.deepEqual(blog.owner, authorOf(1).publicKey);
    assert.deepEqual((await visitor.resolve('alice')).root, rootOf(1));
    assert.equal((await visitor.resolve('shop.alice')).state, 'not-found');
    assert.equal((await visitor.resolve('blog.nobody')).state, 'not-found');
    await names.update('alice', rootOf(4));
    await names.release('docs.alice');
    world.advance(300_000);
    assert.deepEqual((await visitor.resolve('blog.alice')).root, rootOf(2));
    assert.equal((await visitor.resolve('docs.alice')).state, 'not-found');
    const listed = names.list().map(({ name }) => name);
    assert.deepEqual(listed, ['alice.alt', 'blog.alice.alt']);
  });

  test('are nobody else’s, and none is below what is not there', async () => {
    const { node } = setUp();
    await node(1).register('alice', rootOf(1));
    await assert.rejects(node(2).update('blog.alice', rootOf(2)), hasCode('NAME_NOT_YOURS'));
    await assert.rejects(node(1).update('blog.bob', rootOf(2)), hasCode('NAME_NOT_FOUND'));
    await assert.rejects(node(1).release('blog.alice'), hasCode('NAME_NOT_FOUND'));
    const key = keyName(authorOf(1).publicKey);
    await node(1).register(key, rootOf(1));
    await assert.rejects(node(1).update(`blog.${key}`, rootOf(2)), hasCode('BAD_ARGUMENT'));
    assert.equal((await node(2).resolve(`blog.${key}`)).state, 'not-found');
  });

  test('are ten at most, and as many as fit', async () => {
    const { node } = setUp();
    const names = node(1);
    await names.register('alice', rootOf(1));
    for (let i = 0; i < 10; i++) await names.update(`n${i}.alice`, rootOf(i));
    await assert.rejects(names.update('n10.alice', rootOf(1)), hasCode('BAD_ARGUMENT'));
    const long = new Map(
      Array.from({ length: 10 }, (_, i) => [`${'long'.repeat(14)}${i}`, rootOf(i)]),
    );
    const subnames = { subnames: long };
    await assert.rejects(names.update('alice', rootOf(1), subnames), hasCode('BAD_ARGUMENT'));
  });

  test('stand in a zone file when they are many', async () => {
    const { node, files } = setUp();
    const names = node(1);
    const zoneFile = rootOf(50, 0x55);
    const list = { blog: rootOf(2).toString(), docs: rootOf(3).toString() };
    files.set(zoneFile.toString(), utf8(JSON.stringify(list)));
    await names.register('alice', rootOf(1), { zoneFile });
    await names.update('docs.alice', rootOf(4));
    const visitor = node(2);
    assert.deepEqual((await visitor.resolve('blog.alice')).root, rootOf(2));
    assert.deepEqual(
      (await visitor.resolve('docs.alice')).root,
      rootOf(4),
      'the record goes first',
    );
    assert.equal((await visitor.resolve('shop.alice')).state, 'not-found');
    files.clear();
    assert.deepEqual((await visitor.resolve('blog.alice')).root, rootOf(2), 'from memory');
    await assert.rejects(node(3).resolve('blog.alice'), hasCode('NO_PROVIDERS'));
    files.set(zoneFile.toString(), utf8('no list'));
    await assert.rejects(node(3).resolve('blog.alice'), hasCode('CONTENT_BAD'));
  });

  test('keep the state of the name that they are below', async () => {
    const { node, signed, hold } = setUp({ storers: 4 });
    hold(signed(1, 1), 0, 2);
    hold(signed(2, 1), 2, 4);
    const { name, state, claimants } = await node(3).resolve('blog.alice');
    assert.deepEqual([name, state, claimants?.length], ['blog.alice.alt', 'contested', 2]);
  });
});

function parsed(text: string): number | undefined {
  return parseZoneFile(utf8(text))?.size;
}

test('zone files are objects of labels and roots, as a whole or not at all', () => {
  const root = rootOf(1).toString();
  assert.equal(parsed(`{"a":"${root}","b-1":"${root}"}`), 2);
  assert.equal(parsed('{}'), 0);
  const bad = [
    '',
    '[]',
    'null',
    '"x"',
    '{"a":1}',
    '{"a":"x"}',
    `{"A":"${root}"}`,
    `{"a.b":"${root}"}`,
    `{"__proto__":"${root}"}`,
    `{"a":"${root}","":"${root}"}`,
    `{"a":"${rootOf(1, 0x71).toString()}"}`,
  ];
  for (const text of bad) assert.equal(parsed(text), undefined, text);
  assert.equal(parseZoneFile(Uint8Array.of(0xff)), undefined);
  assert.equal(parsed(`{}${' '.repeat(zoneFileBytesMax)}`), undefined);
});

function read(text: string): [name: string, sub: string | undefined] {
  const { name, sub } = parseAddress(text);
  return [name, sub];
}

test('what is typed becomes a name, and perhaps a label below it', () => {
  assert.deepEqual(read('Alice.ALT.'), ['alice.alt', undefined]);
  assert.deepEqual(read('Blog.alice'), ['blog.alice.alt', 'blog']);
  assert.deepEqual(read('bücher.alice.alt'), ['xn--bcher-kva.alice.alt', 'xn--bcher-kva']);
  assert.deepEqual(read('localhost.alice'), ['localhost.alice.alt', 'localhost']);
  for (const bad of ['', '.', '.alice', 'a.b.c', 'a_.alice', 'blog.localhost', 'alice..alt']) {
    assert.throws(() => parseAddress(bad), hasCode('BAD_NAME'), bad);
  }
});

test('who pastes an address is told the name in it, or where copies of that are', () => {
  const pasted: [text: string, told: RegExp][] = [
    ['http://Alice.alt/', /the name in it is alice\.alt$/],
    ['https://blog.alice.alt:8443/a?b', /the name in it is blog\.alice\.alt$/],
    ['http://alice.localhost:8080', /the name in it is alice\.alt$/],
    ['alice.alt/a', /the name in it is alice\.alt$/],
    ['https://dead.example/a.alt', /altnet link get URL$/],
    ['/', /altnet link get URL$/],
  ];
  for (const [text, message] of pasted) {
    assert.throws(() => parseAddress(text), { code: 'BAD_NAME', message }, text);
  }
});
