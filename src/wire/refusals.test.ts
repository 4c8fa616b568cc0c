import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { checkProperty } from '../../test/support/property.ts';
import { type Bytes, concatBytes, toHex } from '../base/bytes.ts';
import type { Method } from '../dht/ports.ts';
import { storeStatuses } from '../record/kinds.ts';
import { isFailure } from './failure.ts';
import {
  decodeReplyBody,
  decodeReplyPayload,
  encodeReplyPayload,
  type ReplyHead,
} from './replies.ts';
import { decodeRequestBody, decodeRequestPayload } from './requests.ts';

const bytes = (length: number): Bytes => new Uint8Array(length);

function requestBytes(fields: { method?: number; bodyBytes?: number; body?: Bytes }): Bytes {
  const { method = 1, body = new Uint8Array(0), bodyBytes = body.length } = fields;
  const head = new Uint8Array(24);
  head.set([method, 0, bodyBytes >> 8, bodyBytes & 255]);
  return concatBytes(head, body);
}

function reachBytes(...target: Bytes[]): Bytes {
  return requestBytes({ method: 7, body: concatBytes(bytes(16), ...target) });
}

function refusal(payload: Bytes): string {
  const decoded = decodeRequestPayload(payload);
  if (isFailure(decoded)) return decoded;
  const read = decodeRequestBody(decoded);
  return isFailure(read) ? read : `accepted ${read.method}`;
}

test('each malformed request has its reason', () => {
  const getBody = (mode: number, extra: number): Bytes => {
    const body = bytes(43 + extra);
    body[32] = mode;
    return body;
  };
  const cases: [string, Bytes, string][] = [
    ['empty', bytes(0), 'length'],
    ['a head that ends early', bytes(23), 'length'],
    ['a body that ends early', requestBytes({ bodyBytes: 1 }), 'length'],
    ['a body above the limit', requestBytes({ body: bytes(1037) }), 'length'],
    ['PING with half a nonce', requestBytes({ body: bytes(8) }), 'length'],
    ['PING with a long nonce', requestBytes({ body: bytes(17) }), 'length'],
    ['FIND with 31 octets', requestBytes({ method: 2, body: bytes(31) }), 'length'],
    ['FIND with 33 octets', requestBytes({ method: 2, body: bytes(33) }), 'length'],
    ['GET that ends early', requestBytes({ method: 3, body: bytes(42) }), 'length'],
    ['GET with an unknown mode', requestBytes({ method: 3, body: getBody(3, 0) }), 'mode'],
    ['GET with half an id', requestBytes({ method: 3, body: getBody(2, 8) }), 'length'],
    ['GET with three ids', requestBytes({ method: 3, body: getBody(2, 48) }), 'count'],
    ['GET full with an id', requestBytes({ method: 3, body: getBody(0, 16) }), 'count'],
    ['STORE of nothing', requestBytes({ method: 4 }), 'length'],
    ['STORE of 1,001 octets', requestBytes({ method: 4, body: bytes(1001) }), 'length'],
    ['method 0', requestBytes({ method: 0 }), 'method'],
    ['SYNC that ends early', requestBytes({ method: 5, body: bytes(47) }), 'length'],
    ['SYNC with 49 octets', requestBytes({ method: 5, body: bytes(49) }), 'length'],
    ['ANNOUNCE of nothing', requestBytes({ method: 6 }), 'length'],
    ['ANNOUNCE of 157 octets', requestBytes({ method: 6, body: bytes(157) }), 'length'],
    ['ANNOUNCE of 1,001 octets', requestBytes({ method: 6, body: bytes(1001) }), 'length'],
    ['ANNOUNCE', requestBytes({ method: 6, body: bytes(158) }), 'accepted announce'],
    ['LEAVE with a body', requestBytes({ method: 8, body: bytes(1) }), 'length'],
    ['LEAVE', requestBytes({ method: 8 }), 'accepted leave'],
    ['a method of another version', requestBytes({ method: 9 }), 'method'],
    ['REACH with half a nonce', requestBytes({ method: 7, body: bytes(15) }), 'length'],
    ['REACH with half a contact', reachBytes(contactOctets({}).subarray(1)), 'length'],
    ['REACH to nobody', reachBytes(contactOctets({ ip: [0, 0, 0, 0] })), 'contact'],
    ['REACH to two', reachBytes(contactOctets({}), contactOctets({})), 'trailing'],
    ['REACH', reachBytes(contactOctets({})), 'accepted reach'],
    ['PING with padding', concatBytes(requestBytes({}), bytes(500).fill(7)), 'accepted ping'],
  ];
  for (const [what, payload, want] of cases) assert.equal(refusal(payload), want, what);
});

function contactOctets(fields: { tag?: number; ip?: number[]; port?: number }): Bytes {
  const { tag = 4, ip = [1, 2, 3, 4], port: number = 9000 } = fields;
  return Uint8Array.of(tag, ...bytes(32), ...ip, number >> 8, number & 255);
}

/** What `decodeReplyBody` says of these octets: a reason, or "accepted". */
function replyRefusal(method: Method, ...parts: Bytes[]): string {
  const read = decodeReplyBody(method, { status: storeStatuses.OK, body: concatBytes(...parts) });
  return isFailure(read) ? read : 'accepted';
}

function find(...parts: Bytes[]): string {
  return replyRefusal('find', ...parts);
}

function getReply(...octets: number[]): string {
  return replyRefusal('get', Uint8Array.from(octets));
}

test('each malformed reply has its reason', () => {
  const one = Uint8Array.of(1);
  assert.equal(find(one, contactOctets({})), 'accepted');
  assert.equal(find(), 'length');
  assert.equal(find(one), 'length');
  assert.equal(find(one, contactOctets({}).subarray(1)), 'length');
  assert.equal(find(Uint8Array.of(21), bytes(1000)), 'count');
  assert.equal(find(one, contactOctets({}), one), 'trailing');
  assert.equal(find(one, contactOctets({ tag: 5 })), 'contact');
  assert.equal(find(one, contactOctets({ port: 0 })), 'contact');
  for (const ip of [
    [0, 0, 0, 0],
    [224, 0, 0, 1],
    [255, 255, 255, 255],
  ]) {
    assert.equal(find(one, contactOctets({ ip })), 'contact', ip.join('.'));
  }
  const mapped = [...bytes(10), 255, 255, 1, 2, 3, 4];
  assert.equal(find(one, contactOctets({ tag: 6, ip: mapped })), 'contact', 'v4-mapped');

  assert.equal(getReply(0, 0, 0, 0, 0), 'accepted');
  assert.equal(getReply(0, 0, 0, 0), 'length');
  assert.equal(getReply(0, 0, 1, 0, 0), 'length', 'a record of no octets');
  assert.equal(getReply(0, 0, 1, 0xff, 0xff), 'length', 'a record longer than the reply');
  assert.equal(getReply(0, 0, 255), 'length', 'records that are not there');
  assert.equal(getReply(0, 0, 0, 24, 0), 'count');
  assert.equal(getReply(0, 0, 0, 23, 0), 'length');
  assert.equal(getReply(0, 0, 0, 0, 21), 'count');
  assert.equal(getReply(0, 0, 0, 0, 0, 0), 'trailing');
  assert.equal(replyRefusal('ping', bytes(1001)), 'length');
  assert.equal(replyRefusal('store', bytes(1001)), 'length');
});

/** No flags, and a count. */
const head = (count: number): Bytes => Uint8Array.of(0, count);

test('each malformed reply to SYNC, REACH and STORE has its reason', () => {
  const entry = (n: number): Bytes => bytes(48).fill(n);
  assert.equal(replyRefusal('sync', head(2), entry(1), entry(2)), 'accepted');
  assert.equal(replyRefusal('sync', head(0)), 'accepted');
  assert.equal(replyRefusal('sync', bytes(1)), 'length');
  assert.equal(replyRefusal('sync', head(2), entry(1)), 'length');
  assert.equal(replyRefusal('sync', head(1), entry(1), entry(2)), 'trailing');
  assert.equal(replyRefusal('sync', head(23), bytes(23 * 48)), 'count');
  assert.equal(replyRefusal('sync', head(2), entry(2), entry(1)), 'order');
  assert.equal(replyRefusal('sync', head(2), entry(1), entry(1)), 'order', 'the same twice');
  assert.equal(replyRefusal('reach', bytes(0)), 'length');
  assert.equal(replyRefusal('reach', bytes(2)), 'length');
  assert.equal(replyRefusal('reach', bytes(1)), 'accepted');
  assert.equal(replyRefusal('announce', bytes(0)), 'accepted');
  assert.equal(replyRefusal('announce', bytes(1)), 'length');
  assert.equal(replyRefusal('leave', bytes(0)), 'accepted');
  assert.equal(replyRefusal('leave', bytes(1)), 'length');
  for (const status of [storeStatuses.POW, storeStatuses.RATE]) {
    const store = (length: number): unknown =>
      decodeReplyBody('store', { status, body: bytes(length) });
    assert.equal(store(1), 'length');
    assert.equal(store(158), 'length', 'a record where a number belongs');
    assert.notEqual(store(0), 'length');
    assert.notEqual(store(2), 'length');
  }
});

test('a reply head with an unknown status or no real address is refused', () => {
  const complete: ReplyHead = {
    status: storeStatuses.OK,
    server: true,
    observed: { ip: Uint8Array.of(1, 2, 3, 4), port: 5 },
    token: bytes(8),
    contactSeq: 1,
    unixTime: 2,
    networkSize: undefined,
  };
  const encoded = encodeReplyPayload(complete, bytes(0));
  assert.equal(encoded.length, 48);
  assert.equal(toHex(encoded.subarray(4, 22)), `${'00'.repeat(10)}ffff010203040005`);
  const changed = (at: number, value: number): Bytes => {
    const copy = encoded.slice();
    copy[at] = value;
    return copy;
  };
  assert.equal(decodeReplyPayload(changed(0, 200)), 'status');
  assert.equal(decodeReplyPayload(changed(21, 0)), 'address', 'port 0');
  assert.equal(decodeReplyPayload(changed(16, 255)), 'address', 'broadcast');
  assert.equal(decodeReplyPayload(changed(3, 1)), 'length', 'a body that is not there');
  assert.equal(decodeReplyPayload(encoded.subarray(0, 47)), 'length');
  const reserved = decodeReplyPayload(changed(47, 1));
  assert.ok(!isFailure(reserved), 'reserved octets are not looked at');
});

test('any bytes give a message or a reason, never an exception', () => {
  const anything = fc.uint8Array({ maxLength: 1200 });
  const methods = ['ping', 'find', 'get', 'store', 'sync', 'announce', 'reach', 'leave'] as const;
  checkProperty(
    fc.property(anything, fc.nat(9), (random, code) => {
      refusal(random);
      if (random.length >= 24) {
        const typed = random.slice();
        typed[0] = code;
        refusal(typed);
      }
      decodeReplyPayload(random);
      for (const method of methods) {
        const read = decodeReplyBody(method, { status: storeStatuses.OK, body: random });
        if (isFailure(read)) continue;
        if ('contacts' in read) assert.ok(read.contacts.length <= 20);
        if ('entries' in read) assert.ok(read.entries.length <= 22);
      }
    }),
  );
});
