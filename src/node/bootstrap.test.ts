import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../test/support/cleanup.ts';
import { boundSocket, startPair } from '../../test/support/udp.ts';
import { formatEndpoint } from '../base/address.ts';
import { toHex } from '../base/bytes.ts';
import { systemWorld } from '../base/clock.ts';
import { AltNetError } from '../base/errors.ts';
import type { Contact } from '../identity/contact.ts';
import {
  contactAt,
  mergeAddresses,
  parseBootstrapAddress,
  readBootstrapFile,
} from './bootstrap.ts';

const pin = 'ab'.repeat(32);

test('an address is host:port, with or without the ID of its node', () => {
  assert.deepEqual(parseBootstrapAddress(' node.example:9000 '), {
    text: 'node.example:9000',
    host: 'node.example',
    port: 9000,
    nodeId: undefined,
  });
  const pinned = parseBootstrapAddress(`[::1]:9000#${pin}`);
  assert.equal(pinned.nodeId && toHex(pinned.nodeId), pin);
  for (const text of ['', 'host', ':9000', 'host:0', 'host:1#', 'host:1#ab', `host:1#${pin}#`]) {
    assert.throws(() => parseBootstrapAddress(text), { code: 'BAD_ADDRESS' }, text);
  }
});

test('bootstrap.txt has an address a line; what is wrong in it names the file', async (t) => {
  const file = path.join(temporaryFolder(t), 'bootstrap.txt');
  assert.deepEqual(await readBootstrapFile(file), []);
  writeFileSync(file, '# friends\r\n\n127.0.0.1:9000\n  node.example:9001  \n');
  assert.deepEqual(
    (await readBootstrapFile(file)).map(({ text }) => text),
    ['127.0.0.1:9000', 'node.example:9001'],
  );
  writeFileSync(file, '127.0.0.1:1\n'.repeat(100));
  assert.equal((await readBootstrapFile(file)).length, 64);
  writeFileSync(file, 'nonsense');
  await assert.rejects(readBootstrapFile(file), /"nonsense".*bootstrap\.txt/);
  await assert.rejects(readBootstrapFile(path.dirname(file)), { code: 'PATH_UNREADABLE' });
});

test('who is at an address proves it; another node than the pinned one is refused', async (t) => {
  const [client, server] = await startPair(t);
  const at = formatEndpoint(server.contact.endpoint);
  const ask = (text: string): Promise<Contact> =>
    contactAt(parseBootstrapAddress(text), client.transport, { world: systemWorld });
  assert.deepEqual(await ask(at), server.contact);
  assert.deepEqual(await ask(`${at}#${toHex(server.contact.id)}`), server.contact);
  assert.deepEqual(await ask(at.replace('127.0.0.1', 'localhost')), server.contact);
  await assert.rejects(ask(`${at}#${pin}`), { code: 'WRONG_PEER' });
  await assert.rejects(ask('no-such-host.invalid:9000'), { code: 'UNREACHABLE' });
  await assert.rejects(ask('0.0.0.0:9000'), { code: 'UNREACHABLE' });
  const deaf = await boundSocket(t);
  const silent = `127.0.0.1:${deaf.address().port}`;
  await assert.rejects(ask(silent), { code: 'UNREACHABLE' });
  const controller = new AbortController();
  const { signal } = controller;
  const asked = contactAt(parseBootstrapAddress(silent), client.transport, {
    world: systemWorld,
    signal,
  });
  controller.abort(new AltNetError('ABORTED', {}));
  await assert.rejects(asked, { code: 'ABORTED' });
});

function merged(...lists: string[][]): string[] {
  return mergeAddresses(...lists.map((list) => list.map(parseBootstrapAddress))).map(
    ({ text }) => text,
  );
}

test('addresses of options and file are merged, each once; a pinned one beats the same without', () => {
  assert.deepEqual(merged(['a:1', 'b:1'], ['A.:1', 'a:2', 'b:1']), ['a:1', 'b:1', 'a:2']);
  assert.deepEqual(merged(['[::1]:1', '[0:0::1]:1']), ['[::1]:1']);
  const other = `a:1#${'cd'.repeat(32)}`;
  assert.deepEqual(merged(['a:1', 'b:1'], [`a:1#${pin}`, other]), ['b:1', `a:1#${pin}`, other]);
  const many = Array.from({ length: 100 }, (_, i) => `a:${i + 1}`);
  assert.equal(merged(many).length, 64);
});

test('of several addresses of a name the one that answers counts, however long others take', async () => {
  // `localhost` has one or two addresses; whoever is asked second need not wait for the first.
  const contact = { id: new Uint8Array(32), publicKey: new Uint8Array(32) };
  const asked: string[] = [];
  const identify = (endpoint: Contact['endpoint']): Promise<Contact> => {
    asked.push(formatEndpoint(endpoint));
    const isLast = asked.length > 1 || endpoint.ip.length === 4;
    return isLast ? Promise.resolve({ ...contact, endpoint }) : new Promise(() => undefined);
  };
  const found = await contactAt(
    parseBootstrapAddress('localhost:9'),
    { identify },
    {
      world: systemWorld,
    },
  );
  assert.equal(found.endpoint.port, 9);
});
