import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GetReply, Reply, Request } from '../src/dht/ports.ts';
import { type Contact, contactOf } from '../src/identity/contact.ts';
import { initOverheadBytes, respOverheadBytes } from '../src/wire/packets.ts';
import { encodeReplyBody, replyBodyBytesMax, replyHeadBytes } from '../src/wire/replies.ts';
import { encodeRequest } from '../src/wire/requests.ts';
import { fitted, replyBytes, requestBytes } from './packet-size.ts';

const bytes = (length: number): Uint8Array => new Uint8Array(length).fill(1);
const want = { v4: true, v6: false };

const contacts: readonly Contact[] = Array.from({ length: 20 }, (_, i) =>
  contactOf(bytes(32), { ip: Uint8Array.of(20, i, 0, 1), port: 9000 }),
);

const requests: readonly Request[] = [
  { method: 'ping' },
  { method: 'ping', nonce: bytes(16) },
  { method: 'find', target: bytes(32) },
  { method: 'get', key: bytes(32), mode: 'full', minSeq: 0n, cursor: 0, ids: [] },
  { method: 'get', key: bytes(32), mode: 'by-id', minSeq: 0n, cursor: 0, ids: [bytes(16)] },
  { method: 'store', record: bytes(321) },
  { method: 'sync', after: bytes(48) },
  { method: 'announce', record: bytes(321) },
  { method: 'reach', nonce: bytes(16), target: undefined },
  { method: 'reach', nonce: bytes(16), target: contacts[0] },
  { method: 'leave' },
];

for (const request of requests) {
  test(`a request is as long as its datagram would be: ${request.method}`, () => {
    for (const token of [undefined, bytes(8)]) {
      const head = { server: true, xSign: false, want, contactSeq: 0, token };
      const datagramBytes = initOverheadBytes + encodeRequest(request, head).length;
      assert.equal(requestBytes(request, token !== undefined), datagramBytes);
    }
  });
}

test('who has no token leaves no room for a contact record in the answer to a PING', () => {
  const reply: Reply = { method: 'ping', contactRecord: bytes(260) };
  const room = requestBytes({ method: 'ping' }, false) - respOverheadBytes - replyHeadBytes;
  const body = encodeReplyBody(reply, { room, want });
  assert.equal(replyBytes(reply, false), respOverheadBytes + replyHeadBytes + body.length);
});

const digest = {
  hash: bytes(16),
  author: bytes(16),
  seq: 1n,
  heldHours: 1,
  size: 300,
  provisional: false,
};

function gotten(reply: Partial<GetReply>): GetReply {
  const none = { records: [], provisional: [], digests: [], next: undefined, contacts };
  return { method: 'get', ...none, ...reply };
}

const replies: Readonly<Record<string, Reply>> = {
  ping: { method: 'ping', contactRecord: bytes(260) },
  find: { method: 'find', contacts },
  'find, alone': { method: 'find', contacts: [] },
  'get, nothing': gotten({}),
  'get, a record': gotten({ records: [bytes(400)], provisional: [false] }),
  'get, full': gotten({ records: [bytes(1000)], provisional: [false] }),
  'get, digests': gotten({ digests: Array.from({ length: 5 }, () => digest) }),
  store: { method: 'store', status: 0, conflicting: undefined, detail: undefined },
  'store, refused': { method: 'store', status: 24, conflicting: bytes(300), detail: undefined },
  'store, too often': { method: 'store', status: 34, conflicting: undefined, detail: 60 },
  sync: { method: 'sync', entries: [{ key: bytes(32), hash: bytes(16) }], more: false },
  announce: { method: 'announce' },
  reach: { method: 'reach', accepted: true },
  leave: { method: 'leave' },
};

for (const [name, reply] of Object.entries(replies)) {
  test(`a reply is as long as its datagram would be: ${name}`, () => {
    const body = encodeReplyBody(reply, { room: replyBodyBytesMax, want });
    const datagramBytes = respOverheadBytes + replyHeadBytes + body.length;
    assert.equal(replyBytes(fitted(reply)), datagramBytes);
  });
}
