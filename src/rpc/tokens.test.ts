import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualWorld } from '../../test/support/manual-world.ts';
import { isFailure } from '../wire/failure.ts';
import { decodeInit, encodeInit, setMac2 } from '../wire/packets.ts';
import { Cookies, mac2Of } from './cookies.ts';
import { equalMacs } from './rotating-secret.ts';
import { AddressTokens, TokenMemory } from './tokens.ts';

const minuteMs = 60_000;
const ip = Uint8Array.of(8, 8, 8, 8);
const publicKey = new Uint8Array(32).fill(1);

test('a token is valid for its address and key only', () => {
  const tokens = new AddressTokens(manualWorld());
  const token = tokens.issue({ ip, publicKey });
  assert.equal(token.length, 8);
  assert.ok(tokens.verifies(token, { ip, publicKey }));
  assert.ok(!tokens.verifies(token, { ip: Uint8Array.of(8, 8, 8, 9), publicKey }));
  assert.ok(!tokens.verifies(token, { ip, publicKey: new Uint8Array(32) }));
  assert.ok(!tokens.verifies(token.subarray(1), { ip, publicKey }));
  assert.ok(!new AddressTokens(manualWorld(2)).verifies(token, { ip, publicKey }));
});

test('a token lasts from 5 to 10 minutes', () => {
  const world = manualWorld();
  const tokens = new AddressTokens(world);
  world.advance(4 * minuteMs);
  const token = tokens.issue({ ip, publicKey });
  const verifies = (): boolean => tokens.verifies(token, { ip, publicKey });
  world.advance(5 * minuteMs);
  assert.ok(verifies(), 'under the secret before');
  world.advance(6 * minuteMs);
  assert.ok(!verifies());
});

test('after a long silence, no secret of before is accepted', () => {
  const world = manualWorld();
  const tokens = new AddressTokens(world);
  const token = tokens.issue({ ip, publicKey });
  world.advance(11 * minuteMs);
  assert.ok(!tokens.verifies(token, { ip, publicKey }));
});

test('a requester drops a token before it can have expired', () => {
  const world = manualWorld();
  const memory = new TokenMemory(world.clock);
  const endpoint = { ip, port: 9000 };
  memory.set(endpoint, publicKey);
  world.advance(5 * minuteMs - 1);
  assert.deepEqual(memory.get(endpoint), publicKey);
  assert.equal(memory.get({ ip, port: 9001 }), undefined);
  world.advance(1);
  assert.equal(memory.get(endpoint), undefined);
  memory.set(endpoint, publicKey);
  memory.delete(endpoint);
  assert.equal(memory.get(endpoint), undefined);
});

test('a cookie proves its endpoint for 2 to 4 minutes', () => {
  const world = manualWorld();
  const cookies = new Cookies(world);
  const endpoint = { ip, port: 9000 };
  const init = encodeInit({ txid: new Uint8Array(8), message1: new Uint8Array(120) });
  const verifies = (from = endpoint): boolean => {
    const decoded = decodeInit(init);
    assert.ok(!isFailure(decoded));
    return cookies.verifies(decoded, from);
  };
  assert.ok(!verifies(), 'without mac2');
  setMac2(init, mac2Of(cookies.issue(endpoint), init));
  assert.ok(verifies());
  assert.ok(!verifies({ ip, port: 9001 }));
  assert.ok(!verifies({ ip: Uint8Array.of(8, 8, 8, 9), port: 9000 }));
  world.advance(2 * minuteMs);
  assert.ok(verifies(), 'under the secret before');
  init[44] = 1;
  assert.ok(!verifies(), 'mac2 covers the ephemeral key');
  init[44] = 0;
  world.advance(2 * minuteMs);
  assert.ok(!verifies());
});

test('MACs are equal byte for byte', () => {
  assert.ok(equalMacs(Uint8Array.of(1, 2), Uint8Array.of(1, 2)));
  assert.ok(!equalMacs(Uint8Array.of(1, 2), Uint8Array.of(1, 3)));
  assert.ok(!equalMacs(Uint8Array.of(1, 2), Uint8Array.of(1)));
});
