import assert from 'node:assert/strict';
import { test } from 'node:test';
import { multiaddr } from '@multiformats/multiaddr';
import * as fc from 'fast-check';
import { parseEndpoint } from '../base/address.ts';
import { checkProperty } from '../../test/support/property.ts';
import {
  announcedEndpoints,
  decodeMultiaddr,
  encodeMultiaddr,
  formatMultiaddr,
  mayVouchFor,
  networkOf,
  parseMultiaddr,
} from './address.ts';

const endpoint = (text: string): { ip: Uint8Array; port: number } =>
  parseEndpoint(text) ?? assert.fail(text);

test('a TCP multiaddr names an endpoint, and nothing else does', () => {
  assert.deepEqual(parseMultiaddr('/ip4/1.2.3.4/tcp/9000'), endpoint('1.2.3.4:9000'));
  assert.deepEqual(parseMultiaddr('/ip6/::1/tcp/9/p2p/12D3KooW'), endpoint('[::1]:9'));
  const refused = [
    '/ip4/1.2.3.4/udp/9000',
    '/ip4/1.2.3.4/tcp/0',
    '/ip4/1.2.3.4/tcp/65536',
    '/ip4/1.2.3.4/tcp/9000/ws',
    '/dns4/example.test/tcp/80',
    '/ip4/999.2.3.4/tcp/9000',
    '/ip4/1.2.3.4/tcp/9000/p2p/a/p2p-circuit',
    `/ip6/${'0:'.repeat(80)}/tcp/1`,
    '',
  ];
  for (const text of refused) assert.equal(parseMultiaddr(text), undefined, text);
});

test('formatting and parsing are inverse', () => {
  const ip = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }).filter((bytes) => bytes[0] !== 0),
  );
  checkProperty(
    fc.property(ip, fc.integer({ min: 1, max: 65_535 }), (bytes, port) => {
      const plain = Uint8Array.from(bytes);
      const parsed = parseMultiaddr(formatMultiaddr({ ip: plain, port }));
      assert.deepEqual(parsed, { ip: plain, port });
      const encoded = encodeMultiaddr({ ip: plain, port });
      assert.deepEqual(decodeMultiaddr(encoded), { ip: plain, port });
      assert.deepEqual(encoded, multiaddr(formatMultiaddr({ ip: plain, port })).bytes);
      assert.equal(decodeMultiaddr(encoded.subarray(1)), undefined);
    }),
  );
});

test('a node vouches only for addresses at least as far away as itself', () => {
  const [loop, home, far] = ['127.0.0.1:1', '192.168.0.2:1', '8.8.8.8:1'].map(endpoint);
  assert.ok(loop && home && far);
  assert.deepEqual(
    [loop, home, far].map((to) => [loop, home, far].map((from) => mayVouchFor(from, to))),
    [
      [true, false, false],
      [true, true, false],
      [true, true, true],
    ],
  );
  assert.equal(mayVouchFor(loop, endpoint('0.0.0.0:1')), false);
});

test('a wildcard is announced as the addresses of the interfaces', () => {
  const found = announcedEndpoints([{ host: '0.0.0.0', port: 7 }]);
  assert.ok(found.some(({ ip }) => ip.join('.') === '127.0.0.1'));
  assert.ok(found.every(({ ip, port }) => port === 7 && ip.some((byte) => byte !== 0)));
  assert.deepEqual(announcedEndpoints([{ host: 'name', port: 7 }]), []);
});

test('a network is a /24 or a /48 of the Internet', () => {
  assert.equal(networkOf('/ip4/203.0.113.9/tcp/1'), networkOf('/ip4/203.0.113.200/tcp/2'));
  assert.notEqual(networkOf('/ip4/203.0.113.9/tcp/1'), networkOf('/ip4/203.0.114.9/tcp/1'));
  const mapped = '/ip6/::ffff:203.0.113.7/tcp/1';
  assert.equal(networkOf(mapped), networkOf('/ip4/203.0.113.9/tcp/1'));
  assert.equal(networkOf('/ip4/10.0.0.1/tcp/1'), undefined);
  assert.equal(networkOf(undefined), undefined);
});
