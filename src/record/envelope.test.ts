import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { type Bytes, concatBytes } from '../base/bytes.ts';
import { isAltNetError } from '../base/errors.ts';
import { SigningKey } from '../identity/key.ts';
import { checkProperty } from '../../test/support/property.ts';
import { encodeBody } from './body.ts';
import {
  bodyBytesMax,
  compareRecords,
  epochOf,
  isAuthentic,
  parseRecord,
  type RecordFields,
  recordBytesMax,
  seqOf,
  type SignedRecord,
  signRecord,
  versionOf,
} from './envelope.ts';
import { recordKinds, storeStatusName } from './kinds.ts';
import { networkId, networkProfiles } from './network.ts';

const author = new SigningKey('author', new Uint8Array(32).fill(1));
const node = new SigningKey('node', new Uint8Array(32).fill(2));
const network = networkId(networkProfiles.local);

const fields: RecordFields = {
  kind: recordKinds.link,
  tombstone: false,
  key: new Uint8Array(32).fill(7),
  seq: seqOf(1, 2),
  issued: 1000,
  expires: 2000,
  powNonce: new Uint8Array(8).fill(3),
  body: encodeBody(new Map([[1, 'https://example.org/']])),
};

function sign(changes: Partial<RecordFields> = {}): SignedRecord {
  return signRecord({ ...fields, ...changes }, author, network);
}

function isInternal(error: unknown): boolean {
  return isAltNetError(error, 'INTERNAL');
}

function statusOf(bytes: Bytes): string {
  const parsed = parseRecord(bytes);
  return parsed.ok ? 'OK' : storeStatusName(parsed.status);
}

function patched(at: number, ...values: number[]): Bytes {
  const bytes = sign().bytes.slice();
  bytes.set(values, at);
  return bytes;
}

test('a record survives encoding and parsing', () => {
  const record = sign();
  assert.equal(record.bytes.length, 94 + fields.body.length + 64);
  for (const [name, value] of Object.entries(fields)) {
    assert.deepEqual(record[name as keyof RecordFields], value, name);
  }
  assert.deepEqual(record.author, author.publicKey);
  assert.deepEqual(parseRecord(record.bytes), { ok: true, record });
  assert.ok(isAuthentic(record, network));
});

test('the parsed record does not share the memory it came in', () => {
  const buffer = sign().bytes.slice();
  const parsed = parseRecord(buffer);
  buffer.fill(0);
  assert.ok(parsed.ok && isAuthentic(parsed.record, network));
});

test('what is not a record is refused with a reason', () => {
  assert.equal(statusOf(new Uint8Array(recordBytesMax + 1)), 'TOO_BIG');
  assert.equal(statusOf(new Uint8Array(157)), 'MALFORMED');
  assert.equal(statusOf(patched(0, 2)), 'MALFORMED', 'format');
  assert.equal(statusOf(patched(1, 99)), 'KIND');
  assert.equal(statusOf(patched(2, 0x80)), 'MALFORMED', 'reserved flag');
  assert.equal(statusOf(patched(3, 2)), 'MALFORMED', 'reserved flag');
  assert.equal(statusOf(patched(80, 0, 0, 3, 232)), 'MALFORMED', 'expires at issue');
  assert.equal(statusOf(patched(92, 0xff, 0xff)), 'MALFORMED', 'body length');
  assert.equal(statusOf(patched(94, 0xa2)), 'MALFORMED', 'body map');
  assert.equal(statusOf(concatBytes(sign().bytes, new Uint8Array(1))), 'MALFORMED');
});

test('the largest body makes the largest record', () => {
  const padding = bodyBytesMax - encodeBody(new Map([[1, new Uint8Array(300)]])).length + 300;
  const record = sign({ body: encodeBody(new Map([[1, new Uint8Array(padding)]])) });
  assert.equal(record.bytes.length, recordBytesMax);
  const tooBig = encodeBody(new Map([[1, new Uint8Array(padding + 1)]]));
  assert.throws(() => sign({ body: tooBig }), isInternal);
});

test('a key signs only the kinds that belong to it', () => {
  assert.throws(() => signRecord(fields, node, network), isInternal);
  const provider = { ...fields, kind: recordKinds.provider };
  assert.throws(() => signRecord(provider, author, network), isInternal);
  assert.ok(isAuthentic(signRecord(provider, node, network), network));
});

test('a signature holds for one network only', () => {
  assert.ok(!isAuthentic(sign(), networkId(networkProfiles.main)));
});

test('no single bit can be changed unnoticed', () => {
  const { bytes } = sign();
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const changed = bytes.slice();
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    const parsed = parseRecord(changed);
    assert.ok(!parsed.ok || !isAuthentic(parsed.record, network), `bit ${bit}`);
  }
});

test('any bytes are answered, never thrown at', () => {
  const start = sign().bytes;
  checkProperty(
    fc.property(fc.uint8Array({ maxLength: 1100 }), fc.nat(1000), fc.nat(160), (noise, cut, at) => {
      const mixed = concatBytes(start.subarray(0, at), noise).subarray(0, cut);
      for (const bytes of [noise, mixed]) {
        const parsed = parseRecord(bytes);
        if (parsed.ok) assert.deepEqual(parsed.record.bytes, Uint8Array.from(bytes));
      }
    }),
  );
});

test('order is seq, then hash', () => {
  const [low, high] = [sign({ seq: 1n }), sign({ seq: 2n })];
  assert.ok(compareRecords(high, low) > 0 && compareRecords(low, high) < 0);
  assert.equal(compareRecords(low, sign({ seq: 1n })), 0);
  const twin = sign({ seq: 1n, expires: 3000 });
  assert.equal(Math.sign(compareRecords(low, twin)), -Math.sign(compareRecords(twin, low)));
  assert.notEqual(compareRecords(low, twin), 0);
});

test('seq joins epoch and version', () => {
  checkProperty(
    fc.property(fc.nat(0xffff), fc.nat(2 ** 31 - 1), (epoch, version) => {
      const seq = seqOf(epoch, version);
      assert.deepEqual([epochOf(seq), versionOf(seq)], [epoch, version]);
    }),
  );
  assert.ok(seqOf(1, 0) > seqOf(0, 2 ** 48 - 1));
});
