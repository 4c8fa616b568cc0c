import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { checkProperty } from '../../test/support/property.ts';
import { type Bytes, concatBytes, toHex } from '../base/bytes.ts';
import { isFailure } from './failure.ts';
import {
  datagramBytesMax,
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
  initBytesMin,
  mac1Parts,
  mac2Parts,
  respBytesMin,
  setMac1,
  setMac2,
  whoBytes,
} from './packets.ts';

const txid = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
const fill = (length: number, value: number): Bytes => new Uint8Array(length).fill(value);

test('INIT has the octets of the specification', () => {
  const init = encodeInit({ txid, message1: fill(120, 0xee) });
  setMac1(init, fill(16, 0x11));
  setMac2(init, fill(16, 0x22));
  assert.equal(
    toHex(init),
    `04010100${toHex(txid)}${'11'.repeat(16)}${'22'.repeat(16)}${'ee'.repeat(120)}`,
  );
  const decoded = decodeInit(init);
  assert.ok(!isFailure(decoded));
  assert.deepEqual(decoded.head, init.subarray(0, 12));
  assert.deepEqual(decoded.txid, txid);
  assert.deepEqual(decoded.mac1, fill(16, 0x11));
  assert.deepEqual(decoded.mac2, fill(16, 0x22));
  assert.deepEqual(decoded.message1, fill(120, 0xee));
});

test('mac1 covers octets 0–11 and 44–123, mac2 also mac1', () => {
  const init = Uint8Array.from({ length: 200 }, (_, i) => i);
  assert.deepEqual(
    concatBytes(...mac1Parts(init)),
    concatBytes(init.slice(0, 12), init.slice(44, 124)),
  );
  assert.deepEqual(
    concatBytes(...mac2Parts(init)),
    concatBytes(init.slice(0, 28), init.slice(44, 124)),
  );
});

test('RESP, COOKIE, WHO and IAM have the octets of the specification', () => {
  const id = toHex(txid);
  const resp = encodeResp({ txid, message2: fill(96, 0xee) });
  assert.equal(toHex(resp), `05010100${id}${'ee'.repeat(96)}`);
  assert.deepEqual(decodeResp(resp), { txid, message2: fill(96, 0xee) });

  const cookie = encodeCookie({ txid, cookie: fill(16, 0xcc) });
  assert.equal(toHex(cookie), `06010100${id}${'cc'.repeat(16)}`);
  assert.deepEqual(decodeCookie(cookie), { txid, cookie: fill(16, 0xcc) });

  const who = encodeWho({ txid });
  assert.equal(toHex(who), `09010000${id}${'00'.repeat(212)}`);
  assert.deepEqual(decodeWho(who), { txid });

  const iam = encodeIam({ txid, publicKey: fill(32, 0xaa), signature: fill(64, 0xbb) });
  assert.equal(toHex(iam), `0a010000${id}${'aa'.repeat(32)}${'bb'.repeat(64)}`);
  assert.deepEqual(decodeIam(iam), {
    txid,
    publicKey: fill(32, 0xaa),
    signature: fill(64, 0xbb),
  });
});

const decoders = [decodeInit, decodeResp, decodeCookie, decodeWho, decodeIam];
const examples = [
  encodeInit({ txid, message1: fill(120, 1) }),
  encodeResp({ txid, message2: fill(96, 1) }),
  encodeCookie({ txid, cookie: fill(16, 1) }),
  encodeWho({ txid }),
  encodeIam({ txid, publicKey: fill(32, 1), signature: fill(64, 1) }),
];

test('a decoder takes its own type only, and names what is wrong', () => {
  for (const [i, example] of examples.entries()) {
    const failures = decoders.map((decode) => decode(example)).map((d) => (isFailure(d) ? d : ''));
    assert.deepEqual(
      failures.map((failure) => failure === ''),
      decoders.map((_, j) => j === i),
    );
  }
  const reasons = ['type', 'version', 'suite', 'reserved'] as const;
  for (const [at, reason] of reasons.entries()) {
    for (const [i, example] of examples.entries()) {
      const damaged = example.slice();
      damaged[at] = 99;
      const plainHead = i >= 3;
      assert.equal(decoders[i]?.(damaged), plainHead && at === 2 ? 'reserved' : reason);
    }
  }
});

function sized(example: Bytes, length: number): Bytes {
  const bytes = new Uint8Array(length);
  bytes.set(example.subarray(0, length));
  return bytes;
}

test('sizes outside the limits are refused', () => {
  const [init, resp, cookie, who, iam] = examples;
  assert.ok(init && resp && cookie && who && iam);
  assert.equal(decodeInit(sized(init, initBytesMin - 1)), 'length');
  assert.ok(!isFailure(decodeInit(sized(init, initBytesMin))));
  assert.ok(!isFailure(decodeInit(sized(init, datagramBytesMax))));
  assert.equal(decodeInit(sized(init, datagramBytesMax + 1)), 'length');
  assert.equal(decodeResp(sized(resp, respBytesMin - 1)), 'length');
  assert.equal(decodeResp(sized(resp, datagramBytesMax + 1)), 'length');
  assert.equal(decodeCookie(sized(cookie, 29)), 'length');
  assert.equal(decodeWho(sized(who, whoBytes - 1)), 'length');
  assert.equal(decodeIam(sized(iam, 109)), 'length');
});

test('any bytes give a packet or a reason, never an exception', () => {
  const anything = fc.oneof(
    fc.uint8Array({ maxLength: 1300 }),
    fc
      .tuple(fc.constantFrom(...examples), fc.uint8Array({ maxLength: 40 }), fc.nat(250))
      .map(([example, patch, at]) => {
        const bytes = new Uint8Array(Math.max(example.length, at + patch.length));
        bytes.set(example);
        bytes.set(patch, at);
        return bytes;
      }),
  );
  checkProperty(
    fc.property(anything, (bytes) => {
      for (const decode of decoders) {
        const decoded = decode(bytes);
        if (isFailure(decoded)) continue;
        assert.equal(decoded.txid.length, 8);
      }
    }),
  );
});

test('a decoded packet encodes to the same octets', () => {
  const resp = fc.uint8Array({ minLength: 96, maxLength: 1188 });
  checkProperty(
    fc.property(resp, (message2) => {
      const bytes = encodeResp({ txid, message2 });
      const decoded = decodeResp(bytes);
      assert.ok(!isFailure(decoded));
      assert.deepEqual(encodeResp(decoded), bytes);
    }),
  );
});
