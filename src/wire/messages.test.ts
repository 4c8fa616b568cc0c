import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { checkProperty } from '../../test/support/property.ts';
import { type Bytes, compareBytes, concatBytes, toHex } from '../base/bytes.ts';
import type {
  GetReply,
  GetRequest,
  RecordDigest,
  Reply,
  Request,
  StoreReply,
  SyncEntry,
} from '../dht/ports.ts';
import { contactOf, type Contact } from '../identity/contact.ts';
import { type StoreStatus, storeStatuses } from '../record/kinds.ts';
import { fitContacts } from './contacts.ts';
import { isFailure } from './failure.ts';
import {
  decodeReplyBody,
  decodeReplyPayload,
  encodeReplyBody,
  encodeReplyPayload,
  replyBodyBytesMax,
  type ReplyHead,
  statusOf,
} from './replies.ts';
import {
  decodeRequestBody,
  decodeRequestPayload,
  encodeRequest,
  requestBodyBytesMax,
  type RequestHead,
} from './requests.ts';

/** Like fc.record, with the prototype that decoded objects have. */
function plain<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(model, { noNullPrototype: true });
}

const bytesOf = (length: number): fc.Arbitrary<Bytes> =>
  fc.uint8Array({ minLength: length, maxLength: length });
const port = fc.integer({ min: 1, max: 65_535 });
const ipV4 = fc
  .tuple(fc.integer({ min: 1, max: 223 }), bytesOf(3))
  .map(([first, rest]) => concatBytes(Uint8Array.of(first), rest));
/** 2600::/8: all public, without the parts of 2000::/8 that wrap IPv4. */
const ipV6 = bytesOf(15).map((rest) => concatBytes(Uint8Array.of(0x26), rest));
const endpoint = plain({ ip: fc.oneof(ipV4, ipV6), port });
const contact = fc.tuple(bytesOf(32), endpoint).map(([key, where]) => contactOf(key, where));
const record = fc.uint8Array({ minLength: 1, maxLength: 1000 });
const token = fc.option(
  bytesOf(8).filter((bytes) => bytes.some((byte) => byte !== 0)),
  { nil: undefined },
);
const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const uint16 = fc.integer({ min: 0, max: 65_535 });
const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const families = plain({ v4: fc.boolean(), v6: fc.boolean() });

const get: fc.Arbitrary<GetRequest> = fc.oneof(
  plain({
    method: fc.constant('get' as const),
    key: bytesOf(32),
    mode: fc.constantFrom('full' as const, 'digest' as const),
    minSeq: uint64,
    cursor: uint16,
    ids: fc.constant([]),
  }),
  plain({
    method: fc.constant('get' as const),
    key: bytesOf(32),
    mode: fc.constant('by-id' as const),
    minSeq: uint64,
    cursor: uint16,
    ids: fc.array(bytesOf(16), { maxLength: 2 }),
  }),
);
const request: fc.Arbitrary<Request> = fc.oneof(
  fc.constant({ method: 'ping' as const }),
  plain({ method: fc.constant('ping' as const), nonce: bytesOf(16) }),
  plain({ method: fc.constant('find' as const), target: bytesOf(32) }),
  get,
  plain({ method: fc.constant('store' as const), record }),
  plain({
    method: fc.constant('announce' as const),
    record: fc.uint8Array({ minLength: 158, maxLength: 1000 }),
  }),
  plain({ method: fc.constant('sync' as const), after: bytesOf(48) }),
  plain({
    method: fc.constant('reach' as const),
    nonce: bytesOf(16),
    target: fc.option(contact, { nil: undefined }),
  }),
  fc.constant({ method: 'leave' as const }),
);
const requestHead: fc.Arbitrary<RequestHead> = plain({
  server: fc.boolean(),
  xSign: fc.boolean(),
  want: families,
  contactSeq: uint32,
  token,
});

const digest: fc.Arbitrary<RecordDigest> = plain({
  hash: bytesOf(16),
  author: bytesOf(16),
  seq: uint64,
  heldHours: uint16,
  size: uint16,
  provisional: fc.boolean(),
});
const status = fc.constantFrom(...(Object.values(storeStatuses) as StoreStatus[]));

/** A reply to GET in which each record has its flag. */
function getReply(parts: {
  records: fc.Arbitrary<Bytes[]>;
  digests: fc.Arbitrary<RecordDigest[]>;
  next: fc.Arbitrary<number | undefined>;
  contacts: fc.Arbitrary<Contact[]>;
}): fc.Arbitrary<GetReply> {
  return fc
    .tuple(plain(parts), fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }))
    .map(([{ records, digests, next, contacts }, flags]) => ({
      method: 'get',
      records,
      provisional: flags.slice(0, records.length),
      digests,
      next,
      contacts,
    }));
}

/** POW and RATE say a number, the others may show a record. */
const storeReply: fc.Arbitrary<StoreReply> = fc
  .tuple(status, fc.option(record, { nil: undefined }), fc.option(uint16, { nil: undefined }))
  .map(([code, shown, detail]) => {
    const numbered = code === storeStatuses.POW || code === storeStatuses.RATE;
    return {
      method: 'store',
      status: code,
      conflicting: numbered ? undefined : shown,
      detail: numbered ? detail : undefined,
    };
  });

const syncEntries: fc.Arbitrary<SyncEntry[]> = fc
  .uniqueArray(bytesOf(48), { maxLength: 22, selector: toHex })
  .map((all) =>
    all
      .toSorted(compareBytes)
      .map((octets) => ({ key: octets.slice(0, 32), hash: octets.slice(32) })),
  );

const reply: fc.Arbitrary<Reply> = fc.oneof(
  plain({
    method: fc.constant('ping' as const),
    contactRecord: fc.option(record, { nil: undefined }),
  }),
  plain({
    method: fc.constant('find' as const),
    contacts: fc.array(contact, { maxLength: 20 }),
  }),
  getReply({
    records: fc.array(fc.uint8Array({ minLength: 1, maxLength: 200 }), { maxLength: 2 }),
    digests: fc.array(digest, { maxLength: 5 }),
    next: fc.option(fc.integer({ min: 1, max: 65_535 }), { nil: undefined }),
    contacts: fc.array(contact, { maxLength: 8 }),
  }),
  storeReply,
  plain({
    method: fc.constant('sync' as const),
    entries: syncEntries,
    more: fc.boolean(),
  }),
  plain({ method: fc.constant('reach' as const), accepted: fc.boolean() }),
  fc.constant({ method: 'announce' as const }),
  fc.constant({ method: 'leave' as const }),
);
const replyHead: fc.Arbitrary<ReplyHead> = plain({
  status: fc.constant(storeStatuses.OK),
  server: fc.boolean(),
  observed: endpoint,
  token: bytesOf(8),
  contactSeq: uint32,
  unixTime: uint32,
  networkSize: fc.option(
    fc.integer({ min: 1, max: 255 }).map((eighths) => 2 ** (eighths / 8)),
    { nil: undefined },
  ),
});

const bytes = (length: number): Bytes => new Uint8Array(length);
const both = { v4: true, v6: true };

test('a request is decoded to itself and encodes to the same octets again', () => {
  checkProperty(
    fc.property(request, requestHead, (sent, head) => {
      const payload = encodeRequest(sent, head);
      const decoded = decodeRequestPayload(payload);
      assert.ok(!isFailure(decoded));
      const { methodCode, body, ...readHead } = decoded;
      assert.ok(methodCode > 0 && body.length <= requestBodyBytesMax);
      assert.deepEqual(readHead, head);
      const read = decodeRequestBody(decoded);
      assert.ok(!isFailure(read));
      assert.deepEqual(read, sent);
      assert.deepEqual(encodeRequest(read, readHead), payload);
    }),
  );
});

test('a reply is decoded to itself and encodes to the same octets again', () => {
  checkProperty(
    fc.property(reply, replyHead, (sent, head) => {
      const body = encodeReplyBody(sent, { room: replyBodyBytesMax, want: both });
      const payload = encodeReplyPayload({ ...head, status: statusOf(sent) }, body);
      const decoded = decodeReplyPayload(payload);
      assert.ok(!isFailure(decoded));
      assert.deepEqual(decoded, { ...head, status: statusOf(sent), body });
      const read = decodeReplyBody(sent.method, decoded);
      assert.ok(!isFailure(read));
      assert.deepEqual(read, sent);
      assert.deepEqual(encodeReplyBody(read, { room: replyBodyBytesMax, want: both }), body);
    }),
  );
});

test('a reply never exceeds its room, and what is left of it decodes', () => {
  const room = fc.integer({ min: 56, max: 1200 });
  const large: fc.Arbitrary<Reply> = getReply({
    records: fc.array(record, { maxLength: 4 }),
    digests: fc.array(digest, { maxLength: 40 }),
    next: fc.constant(undefined),
    contacts: fc.array(contact, { maxLength: 40 }),
  });
  const find: fc.Arbitrary<Reply> = plain({
    method: fc.constant('find' as const),
    contacts: fc.array(contact, { maxLength: 40 }),
  });
  checkProperty(
    fc.property(fc.oneof(large, find, reply), room, families, (sent, octets, want) => {
      const body = encodeReplyBody(sent, { room: octets, want });
      assert.ok(body.length <= Math.min(octets, replyBodyBytesMax));
      const read = decodeReplyBody(sent.method, { status: statusOf(sent), body });
      assert.ok(!isFailure(read));
      if ((read.method !== 'find' && read.method !== 'get') || sent.method !== read.method) return;
      const sentContacts = sent.contacts.filter(
        (c) => want[c.endpoint.ip.length === 4 ? 'v4' : 'v6'],
      );
      assert.deepEqual(read.contacts, sentContacts.slice(0, read.contacts.length));
    }),
  );
});

test('20 contacts of either family fit a full reply, and 23 digests do', () => {
  const key = new Uint8Array(32);
  for (const ip of [Uint8Array.of(1, 2, 3, 4), Uint8Array.of(0x26, 1, ...bytes(14))]) {
    const contacts: Contact[] = Array.from({ length: 25 }, () => contactOf(key, { ip, port: 9 }));
    assert.equal(fitContacts(contacts, { room: replyBodyBytesMax - 1, want: both }).length, 20);
  }
  const one: RecordDigest = {
    hash: new Uint8Array(16),
    author: new Uint8Array(16),
    seq: 1n,
    heldHours: 1,
    size: 158,
    provisional: false,
  };
  const digests = Array.from({ length: 30 }, () => one);
  const sent: Reply = {
    method: 'get',
    records: [],
    provisional: [],
    digests,
    next: 2,
    contacts: [],
  };
  const body = encodeReplyBody(sent, { room: replyBodyBytesMax, want: both });
  const read = decodeReplyBody('get', { status: storeStatuses.OK, body });
  assert.ok(!isFailure(read) && read.method === 'get');
  assert.equal(read.digests.length, 23);
});

test('without a token a request leaves room for its longest useful reply', () => {
  const head: RequestHead = {
    server: false,
    xSign: false,
    want: { v4: true, v6: false },
    contactSeq: 0,
    token: undefined,
  };
  const target = new Uint8Array(32);
  const find: Request = { method: 'find', target };
  const getAll: Request = {
    method: 'get',
    key: target,
    mode: 'full',
    minSeq: 0n,
    cursor: 0,
    ids: [],
  };
  const size = (what: Request, over: Partial<RequestHead> = {}): number =>
    140 + encodeRequest(what, { ...head, ...over }).length;
  assert.equal(size({ method: 'ping' }), 224);
  assert.equal(size(find), 896);
  assert.equal(size(find, { want: both }), 1200);
  assert.equal(size(getAll), 1200);
  assert.equal(size({ method: 'store', record: new Uint8Array(1000) }), 1164);
  assert.equal(size({ method: 'announce', record: new Uint8Array(158) }), 322);
  // Without a token these are answered by a fresh one: 108 octets.
  assert.equal(size({ method: 'sync', after: new Uint8Array(48) }), 212);
  assert.equal(size({ method: 'reach', nonce: new Uint8Array(16), target: undefined }), 180);
  assert.equal(size({ method: 'leave' }), 164);
  assert.equal(size({ method: 'ping', nonce: new Uint8Array(16) }), 224);
  const token8 = new Uint8Array(8).fill(1);
  assert.equal(size({ method: 'ping' }, { token: token8 }), 164);
  assert.equal(size(find, { token: token8 }), 196);
});

test('the octets of a FIND request and of a GET request', () => {
  const head: RequestHead = {
    server: true,
    xSign: true,
    want: both,
    contactSeq: 0x01020304,
    token: new Uint8Array(8).fill(0x77),
  };
  const target = new Uint8Array(32).fill(0xaa);
  const reserved = '00'.repeat(8);
  assert.equal(
    toHex(encodeRequest({ method: 'find', target }, head)),
    `020f002001020304${reserved}${'77'.repeat(8)}${'aa'.repeat(32)}`,
  );
  const ids = [new Uint8Array(16).fill(0xbb)];
  const byId: Request = { method: 'get', key: target, mode: 'by-id', minSeq: 9n, cursor: 3, ids };
  assert.equal(
    toHex(encodeRequest(byId, head)),
    `030f003b01020304${reserved}${'77'.repeat(8)}${'aa'.repeat(32)}02${'00'.repeat(7)}090003${'bb'.repeat(16)}`,
  );
});
