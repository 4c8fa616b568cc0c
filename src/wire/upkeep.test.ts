import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Bytes, toHex } from '../base/bytes.ts';
import { contactOf } from '../identity/contact.ts';
import { storeStatuses } from '../record/kinds.ts';
import { isFailure } from './failure.ts';
import {
  decodeReplyBody,
  decodeReplyPayload,
  encodeReplyBody,
  encodeReplyPayload,
  replyBodyBytesMax,
  type ReplyHead,
} from './replies.ts';
import { encodeRequest, type RequestHead } from './requests.ts';

const bytes = (length: number): Bytes => new Uint8Array(length);
const both = { v4: true, v6: true };

/** What is read of a reply head that was written with this size. */
function said(networkSize: number | undefined): number | undefined {
  const head: ReplyHead = {
    status: storeStatuses.OK,
    server: true,
    observed: { ip: Uint8Array.of(1, 2, 3, 4), port: 5 },
    token: bytes(8),
    contactSeq: 0,
    unixTime: 0,
    networkSize,
  };
  const decoded = decodeReplyPayload(encodeReplyPayload(head, bytes(0)));
  assert.ok(!isFailure(decoded));
  return decoded.networkSize;
}

test('the octets of SYNC and REACH, and of what answers them', () => {
  const head: RequestHead = {
    server: false,
    xSign: false,
    want: both,
    contactSeq: 0,
    token: new Uint8Array(8).fill(0x77),
  };
  const start = `${'00'.repeat(12)}${'77'.repeat(8)}`;
  const sync = encodeRequest({ method: 'sync', after: new Uint8Array(48).fill(0xcc) }, head);
  assert.equal(toHex(sync), `050c0030${start}${'cc'.repeat(48)}`);
  const target = contactOf(new Uint8Array(32).fill(1), {
    ip: Uint8Array.of(9, 8, 7, 6),
    port: 258,
  });
  const reach = encodeRequest(
    { method: 'reach', nonce: new Uint8Array(16).fill(0xdd), target },
    head,
  );
  assert.equal(toHex(reach), `070c0037${start}${'dd'.repeat(16)}04${'01'.repeat(32)}090807060102`);

  const room = { room: replyBodyBytesMax, want: both };
  const entries = [{ key: new Uint8Array(32).fill(2), hash: new Uint8Array(16).fill(3) }];
  const synced = encodeReplyBody({ method: 'sync', entries, more: true }, room);
  assert.equal(toHex(synced), `0101${'02'.repeat(32)}${'03'.repeat(16)}`);
  assert.equal(toHex(encodeReplyBody({ method: 'reach', accepted: true }, room)), '01');
  const shown = { method: 'store', conflicting: undefined } as const;
  const pow = encodeReplyBody({ ...shown, status: storeStatuses.POW, detail: 22 }, room);
  assert.equal(toHex(pow), '0016');
  const rate = encodeReplyBody({ ...shown, status: storeStatuses.RATE, detail: 1e6 }, room);
  assert.equal(toHex(rate), 'ffff', 'more than fits is the most that does');
});

test('SYNC sends at most 22 entries and says that more follow', () => {
  const entries = Array.from({ length: 30 }, (_, i) => ({
    key: new Uint8Array(32).fill(i),
    hash: new Uint8Array(16),
  }));
  for (const [octets, count] of [
    [replyBodyBytesMax, 22],
    [150, 3],
  ] as const) {
    const body = encodeReplyBody(
      { method: 'sync', entries, more: false },
      { room: octets, want: both },
    );
    const read = decodeReplyBody('sync', { status: storeStatuses.OK, body });
    assert.ok(!isFailure(read) && read.method === 'sync');
    assert.deepEqual(read, { method: 'sync', entries: entries.slice(0, count), more: true });
  }
});

test('the size of the network is said within 4.5 %, or not at all', () => {
  for (const none of [undefined, 0, -1, Number.NaN]) assert.equal(said(none), undefined);
  for (const size of [2, 20, 12_345, 1e7]) {
    assert.ok(Math.abs((said(size) ?? 0) / size - 1) < 0.045, String(size));
  }
  assert.equal(said(Number.POSITIVE_INFINITY), 2 ** (255 / 8));
});
