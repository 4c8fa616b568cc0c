/** Fuzzing of packets and of what they carry: each decoder, with what each encoder writes. */
import assert from 'node:assert/strict';
import { type Bytes, concatBytes, equalBytes } from '../../src/base/bytes.ts';
import type { Method, Reply, Request } from '../../src/dht/ports.ts';
import { contactOf } from '../../src/identity/contact.ts';
import { storeStatuses } from '../../src/record/kinds.ts';
import { isFailure } from '../../src/wire/failure.ts';
import {
  decodeCookie,
  decodeIam,
  decodeInit,
  decodeResp,
  decodeWho,
  encodeCookie,
  encodeIam,
  encodeInit,
  encodeResp,
  encodeWho,
} from '../../src/wire/packets.ts';
import {
  decodeReplyBody,
  decodeReplyPayload,
  encodeReplyBody,
  encodeReplyPayload,
  replyBodyBytesMax,
  type ReplyHead,
  statusOf,
} from '../../src/wire/replies.ts';
import {
  decodeRequestBody,
  decodeRequestPayload,
  encodeRequest,
  methodCodes,
  type RequestHead,
} from '../../src/wire/requests.ts';
import type { Dice } from './dice.ts';
import { mutateOctets } from './octets.ts';
import type { Target } from './target.ts';

const filled = (length: number, value: number): Bytes => new Uint8Array(length).fill(value);
const v4 = contactOf(filled(32, 1), { ip: Uint8Array.of(192, 0, 2, 1), port: 9000 });
const v6 = contactOf(filled(32, 2), { ip: Uint8Array.of(0x26, 1, ...filled(14, 3)), port: 9001 });
const want = { v4: true, v6: true };
const methods = Object.keys(methodCodes) as readonly Method[];

export const sampleRequests: readonly Request[] = [
  { method: 'ping' },
  { method: 'ping', nonce: filled(16, 4) },
  { method: 'find', target: filled(32, 5) },
  { method: 'get', key: filled(32, 6), mode: 'full', minSeq: 7n, cursor: 2, ids: [] },
  { method: 'get', key: filled(32, 6), mode: 'by-id', minSeq: 0n, cursor: 0, ids: [filled(16, 7)] },
  { method: 'store', record: filled(300, 8) },
  { method: 'sync', after: filled(48, 9) },
  { method: 'announce', record: filled(300, 9) },
  { method: 'reach', nonce: filled(16, 10), target: undefined },
  { method: 'reach', nonce: filled(16, 10), target: v6 },
  { method: 'leave' },
];

const digest = { hash: filled(16, 1), author: filled(16, 2), seq: 3n, heldHours: 4, size: 158 };

export const sampleReplies: readonly Reply[] = [
  { method: 'ping', contactRecord: filled(250, 1) },
  { method: 'find', contacts: [v4, v6, v4] },
  {
    method: 'get',
    records: [filled(158, 1), filled(300, 2)],
    provisional: [true, false],
    digests: [{ ...digest, provisional: true }],
    next: 2,
    contacts: [v4, v6],
  },
  { method: 'store', status: storeStatuses.OK, conflicting: undefined, detail: undefined },
  { method: 'store', status: storeStatuses.POW, conflicting: undefined, detail: 22 },
  {
    method: 'store',
    status: storeStatuses.NAME_TAKEN,
    conflicting: filled(300, 3),
    detail: undefined,
  },
  {
    method: 'sync',
    entries: [1, 2, 3].map((n) => ({ key: filled(32, n), hash: filled(16, n) })),
    more: true,
  },
  { method: 'announce' },
  { method: 'reach', accepted: true },
  { method: 'leave' },
];

const requestHead: RequestHead = {
  server: true,
  xSign: false,
  want,
  contactSeq: 5,
  token: filled(8, 6),
};
const replyHead: Omit<ReplyHead, 'status'> = {
  server: true,
  observed: v4.endpoint,
  token: filled(8, 6),
  contactSeq: 7,
  unixTime: 8,
  networkSize: 1000,
};

const write = (reply: Reply): Bytes => encodeReplyBody(reply, { room: replyBodyBytesMax, want });

export const requestPayloads: readonly Bytes[] = sampleRequests.flatMap((request) => [
  encodeRequest(request, requestHead),
  encodeRequest(request, { ...requestHead, token: undefined }),
]);
export const replyPayloads: readonly Bytes[] = sampleReplies.map((reply) =>
  encodeReplyPayload({ ...replyHead, status: statusOf(reply) }, write(reply)),
);

function mutated(corpus: readonly Bytes[]): (dice: Dice) => Bytes {
  return (dice) => mutateOctets(dice.pick(corpus), dice, dice.pick(corpus));
}

export const requests: Target = {
  name: 'request payloads',
  make: mutated(requestPayloads),
  run: (input) => {
    const payload = decodeRequestPayload(input);
    if (isFailure(payload)) return false;
    const request = decodeRequestBody(payload);
    if (isFailure(request)) return false;
    // A request has one encoding; around it, reserved octets and padding are free.
    const again = decodeRequestPayload(encodeRequest(request, payload));
    assert.ok(!isFailure(again));
    assert.ok(equalBytes(again.body, payload.body), 'a request has two encodings');
    return true;
  },
};

export const replies: Target = {
  name: 'reply payloads',
  make: mutated(replyPayloads),
  run: (input) => {
    const payload = decodeReplyPayload(input);
    if (isFailure(payload)) return false;
    const read = methods.map((method) => decodeReplyBody(method, payload));
    for (const reply of read) if (!isFailure(reply)) checkReply(reply);
    return read.some((reply) => !isFailure(reply));
  },
};

/** What was read is within bounds, and read again after being written it is the same. */
function checkReply(reply: Reply): void {
  if ('contacts' in reply) assert.ok(reply.contacts.length <= 20);
  if ('digests' in reply) {
    assert.ok(reply.digests.length <= 23 && reply.records.length <= 255);
    assert.equal(reply.provisional.length, reply.records.length);
  }
  if ('entries' in reply) assert.ok(reply.entries.length <= 22);
  const body = write(reply);
  const again = decodeReplyBody(reply.method, { status: statusOf(reply), body });
  assert.ok(!isFailure(again) && equalBytes(write(again), body), 'writing changes a reply');
}

export const packetSamples: readonly Bytes[] = [
  encodeInit({ txid: filled(8, 1), message1: filled(150, 2) }),
  encodeInit({ txid: filled(8, 1), message1: filled(1156, 2) }),
  encodeResp({ txid: filled(8, 1), message2: filled(96, 2) }),
  encodeResp({ txid: filled(8, 1), message2: filled(1188, 2) }),
  encodeCookie({ txid: filled(8, 1), cookie: filled(16, 2) }),
  encodeWho({ txid: filled(8, 1) }),
  encodeIam({ txid: filled(8, 1), publicKey: filled(32, 2), signature: filled(64, 3) }),
];

/** Each decoder with its encoder; what the format does not look at is zeroed before comparing. */
const packetTypes: readonly ((input: Bytes) => Bytes | undefined)[] = [
  (input) => {
    const init = decodeInit(input);
    return isFailure(init)
      ? undefined
      : concatBytes(init.head, init.mac1, init.mac2, init.message1);
  },
  (input) => {
    const resp = decodeResp(input);
    return isFailure(resp) ? undefined : encodeResp(resp);
  },
  (input) => {
    const cookie = decodeCookie(input);
    return isFailure(cookie) ? undefined : encodeCookie(cookie);
  },
  (input) => {
    const who = decodeWho(input);
    return isFailure(who) ? undefined : concatBytes(encodeWho(who).slice(0, 12), input.slice(12));
  },
  (input) => {
    const iam = decodeIam(input);
    return isFailure(iam) ? undefined : encodeIam(iam);
  },
];

export const packets: Target = {
  name: 'packets',
  make: mutated(packetSamples),
  run: (input) => {
    const again = packetTypes.flatMap((decode) => decode(input) ?? []);
    assert.ok(again.length <= 1, 'a packet has two types');
    for (const octets of again) assert.ok(equalBytes(octets, input), 'a packet has two encodings');
    return again.length === 1;
  },
};
