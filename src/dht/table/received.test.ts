import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Contact, contactOf } from '../../identity/contact.ts';
import { parseEndpoint } from '../../base/address.ts';
import { nodeKey } from '../../../test/support/dht-samples.ts';
import { usableContacts } from './received.ts';

function at(address: string, n = 1): Contact {
  const endpoint = parseEndpoint(address);
  assert.ok(endpoint);
  return contactOf(nodeKey(n).publicKey, endpoint);
}

function usable(from: string, addresses: readonly string[]): number[] {
  const contacts = addresses.map((address, i) => at(address, i));
  const used = usableContacts(at(from), contacts);
  return contacts.flatMap((contact, i) => (used.includes(contact) ? [i] : []));
}

test('contacts of the scope of their sender are used, and of the Internet by a neighbour', () => {
  const mixed = ['127.0.0.1:9000', '192.168.1.9:9000', '8.8.8.8:9000', '[::1]:9000'];
  assert.deepEqual(usable('127.0.0.1:5000', mixed), [0, 3]);
  assert.deepEqual(usable('10.1.1.1:5000', mixed), [1, 2]);
  assert.deepEqual(usable('10.1.1.1:5000', ['8.8.8.8:53', '8.8.8.8:9000', '8.8.8.8:9001']), [1]);
  assert.deepEqual(usable('9.9.9.9:5000', mixed), [2]);
});

test('of public addresses, each is used once and each /24 or /48 twice', () => {
  const many = ['8.8.8.8:9000', '8.8.8.8:9001', '8.8.8.9:9000', '8.8.8.10:9000', '8.8.9.1:9000'];
  assert.deepEqual(usable('9.9.9.9:5000', many), [0, 2, 4]);
  const six = ['[2001:db8:1::1]:9000', '[2001:db8:1:2::1]:9000', '[2001:db8:1:3::1]:9000'];
  assert.deepEqual(usable('[2001:db8:9::1]:5000', six), [0, 1]);
  const local = ['127.0.0.1:9000', '127.0.0.1:9001', '127.0.0.1:9002'];
  assert.deepEqual(usable('127.0.0.1:5000', local), [0, 1, 2], 'many nodes of one machine');
});

test('ports of other services are never asked, nor more contacts than fit a reply', () => {
  assert.deepEqual(usable('9.9.9.9:5000', ['8.8.8.8:53', '8.8.7.8:1023', '8.8.6.8:1024']), [2]);
  const crowd = Array.from({ length: 40 }, (_, i) => `127.0.0.1:${9000 + i}`);
  assert.equal(usable('127.0.0.1:5000', crowd).length, 20);
});
