import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { multiaddr } from '@multiformats/multiaddr';
import * as fc from 'fast-check';
import { checkProperty } from '../../test/support/property.ts';
import { parseEndpoint } from '../base/address.ts';
import { SigningKey } from '../identity/key.ts';
import { networkOf } from './address.ts';
import {
  decodePeerAddress,
  encodePeerAddress,
  formatPeerAddress,
  parsePeerAddress,
  peerAddressKey,
  peerIdText,
} from './peer-address.ts';

const endpoint = (text: string): { ip: Uint8Array; port: number } =>
  parseEndpoint(text) ?? assert.fail(text);

test('an address through a relay is what libp2p writes, as text and in octets', () => {
  const ip = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }).filter((bytes) => bytes[0] !== 0),
  );
  checkProperty(
    fc.property(ip, fc.integer({ min: 1, max: 65_535 }), (bytes, port) => {
      const relayKey = new SigningKey('node', randomBytes(32)).publicKey;
      const address = { endpoint: { ip: Uint8Array.from(bytes), port }, relayKey };
      const text = formatPeerAddress(address);
      assert.deepEqual(parsePeerAddress(text), address);
      assert.deepEqual(parsePeerAddress(`${text}/p2p/${peerIdText(relayKey)}`), address);
      const encoded = encodePeerAddress(address);
      assert.ok(encoded.length <= 80);
      assert.deepEqual(encoded, multiaddr(text).bytes);
      assert.deepEqual(decodePeerAddress(encoded), address);
      for (const end of [encoded.length - 1, 50, 9]) {
        assert.equal(decodePeerAddress(encoded.subarray(0, end)), undefined);
      }
    }),
  );
});

test('a direct address is as before', () => {
  const direct = { endpoint: endpoint('1.2.3.4:9000') };
  assert.equal(formatPeerAddress(direct), '/ip4/1.2.3.4/tcp/9000');
  assert.deepEqual(parsePeerAddress('/ip4/1.2.3.4/tcp/9000'), direct);
  assert.deepEqual(decodePeerAddress(encodePeerAddress(direct)), direct);
});

test('no names, no keys of another kind, no two relays in a row', () => {
  const id = peerIdText(new SigningKey('node', randomBytes(32)).publicKey);
  const refused = [
    '/ip4/1.2.3.4/tcp/9000/p2p-circuit',
    `/dns4/relay.example/tcp/9000/p2p/${id}/p2p-circuit`,
    `/ip4/1.2.3.4/udp/9000/p2p/${id}/p2p-circuit`,
    '/ip4/1.2.3.4/tcp/9000/p2p/QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N/p2p-circuit',
    `/ip4/1.2.3.4/tcp/9000/p2p/${id}/p2p-circuit/p2p/${id}/p2p-circuit`,
    `/p2p/${id}/p2p-circuit`,
    `/ip4/1.2.3.4/tcp/9000/p2p/${id}/p2p-circuit${'/'.repeat(200)}`,
    '/p2p-circuit',
  ];
  for (const text of refused) assert.equal(parsePeerAddress(text), undefined, text);
});

test('octets that are no address are refused', () => {
  checkProperty(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      const address = decodePeerAddress(bytes);
      if (address) assert.deepEqual(encodePeerAddress(address), Uint8Array.from(bytes));
    }),
  );
});

test('ways are told apart by endpoint and relay', () => {
  const at = endpoint('1.2.3.4:9000');
  const keys = [randomBytes(32), randomBytes(32), undefined].map((relayKey) =>
    peerAddressKey({ endpoint: at, relayKey }),
  );
  assert.equal(new Set(keys).size, 3);
});

test('who comes through a relay counts to the network of the relay', () => {
  const id = peerIdText(new SigningKey('node', randomBytes(32)).publicKey);
  const relayed = `/ip4/203.0.113.9/tcp/1/p2p/${id}/p2p-circuit/p2p/${id}`;
  assert.equal(networkOf(relayed), networkOf('/ip4/203.0.113.77/tcp/2'));
  assert.notEqual(networkOf(relayed), undefined);
});
