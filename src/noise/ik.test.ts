import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type Bytes, concatBytes, parseHex, toHex, utf8 } from '../base/bytes.ts';
import type { NoiseCrypto } from './crypto.ts';
import { InitiatorHandshake, protocolName, remoteStaticOf, ResponderHandshake } from './ik.ts';
import { keyPairFromSecret, nodeCrypto } from './node-crypto.ts';

/* Vectors */

interface Vector {
  readonly file: string;
  readonly text: (key: string) => string;
  readonly bytes: (key: string) => Bytes;
  readonly handshakeHash: string | undefined;
  readonly messages: readonly { payload: Bytes; ciphertext: string }[];
}

const byteKeys: ReadonlySet<string> = new Set([
  'init_prologue',
  'init_static',
  'init_ephemeral',
  'init_remote_static',
  'resp_prologue',
  'resp_static',
  'resp_ephemeral',
  'handshake_hash',
]);

function hex(text: unknown): Bytes {
  const bytes = typeof text === 'string' ? parseHex(text) : undefined;
  assert.ok(bytes, `not hexadecimal: ${String(text)}`);
  return bytes;
}

/** Fails on every key that this test would not check. */
function parseVector(file: string, raw: Record<string, unknown>): Vector {
  for (const [key, value] of Object.entries(raw)) {
    if (key === 'init_psks' || key === 'resp_psks') assert.deepEqual(value, []);
    else assert.ok(byteKeys.has(key) || key === 'protocol_name' || key === 'messages', key);
  }
  const messages = raw['messages'] as Record<string, unknown>[];
  for (const message of messages) {
    assert.deepEqual(Object.keys(message).toSorted(), ['ciphertext', 'payload']);
  }
  const handshakeHash = raw['handshake_hash'];
  return {
    file,
    text: (key) => String(raw[key]),
    bytes: (key) => hex(raw[key]),
    handshakeHash: handshakeHash === undefined ? undefined : toHex(hex(handshakeHash)),
    messages: messages.map(({ payload, ciphertext }) => ({
      payload: hex(payload),
      ciphertext: toHex(hex(ciphertext)),
    })),
  };
}

function readVectors(file: string): Vector[] {
  const url = new URL(`../../test/vectors/noise/${file}`, import.meta.url);
  const document = JSON.parse(readFileSync(url, 'utf8')) as Record<string, unknown>;
  assert.deepEqual(Object.keys(document), ['vectors']);
  return (document['vectors'] as Record<string, unknown>[]).map((raw) => parseVector(file, raw));
}

function withEphemeral(secret: Bytes): NoiseCrypto {
  return { ...nodeCrypto, generateKeyPair: () => keyPairFromSecret(secret) };
}

function handshakes(vector: Vector): {
  initiator: InitiatorHandshake;
  responder: ResponderHandshake;
} {
  const initiatorS = keyPairFromSecret(vector.bytes('init_static'));
  const responderS = keyPairFromSecret(vector.bytes('resp_static'));
  assert.deepEqual(responderS.publicKey.bytes, vector.bytes('init_remote_static'));
  const rs = remoteStaticOf(nodeCrypto, initiatorS, vector.bytes('init_remote_static'));
  assert.ok(rs);
  return {
    initiator: new InitiatorHandshake(withEphemeral(vector.bytes('init_ephemeral')), {
      s: initiatorS,
      rs,
      prologue: vector.bytes('init_prologue'),
    }),
    responder: new ResponderHandshake(withEphemeral(vector.bytes('resp_ephemeral')), {
      s: responderS,
      prologue: vector.bytes('resp_prologue'),
      remoteStatic: (publicKey) => remoteStaticOf(nodeCrypto, responderS, publicKey),
    }),
  };
}

for (const vector of ['cacophony.json', 'snow.json'].flatMap(readVectors)) {
  test(`${vector.file}: all ${vector.messages.length} messages, both ways`, () => {
    assert.equal(vector.text('protocol_name'), protocolName);
    const { initiator, responder } = handshakes(vector);
    const [first, second, ...transport] = vector.messages;
    assert.ok(first && second && transport.length > 0);

    assert.equal(toHex(initiator.writeMessage1(first.payload) ?? utf8('')), first.ciphertext);
    assert.deepEqual(responder.readMessage1(hex(first.ciphertext))?.payload, first.payload);
    assert.equal(toHex(responder.writeMessage2(second.payload) ?? utf8('')), second.ciphertext);
    assert.deepEqual(initiator.readMessage2(hex(second.ciphertext)), second.payload);

    if (vector.handshakeHash !== undefined) {
      assert.equal(toHex(initiator.getHandshakeHash()), vector.handshakeHash);
      assert.equal(toHex(responder.getHandshakeHash()), vector.handshakeHash);
    }
    const ad = new Uint8Array(0);
    const [initiatorSends, initiatorReceives] = initiator.split();
    const [responderReceives, responderSends] = responder.split();
    for (const [i, { payload, ciphertext }] of transport.entries()) {
      const [sends, receives] =
        i % 2 === 0 ? [initiatorSends, responderReceives] : [responderSends, initiatorReceives];
      assert.equal(toHex(sends.encryptWithAd(ad, payload)), ciphertext);
      const damaged = hex(ciphertext);
      damaged[0] = (damaged[0] ?? 0) ^ 1;
      assert.equal(receives.decryptWithAd(ad, damaged), undefined);
      assert.deepEqual(receives.decryptWithAd(ad, hex(ciphertext)), payload);
    }
  });
}

/* Guards */

const initiatorS = keyPairFromSecret(new Uint8Array(32).fill(1));
const responderS = keyPairFromSecret(new Uint8Array(32).fill(2));
const prologue = utf8('prologue');
const payload = utf8('request');

function newInitiator(over: { prologue?: Bytes; rs?: Bytes } = {}): InitiatorHandshake {
  const rs = remoteStaticOf(nodeCrypto, initiatorS, over.rs ?? responderS.publicKey.bytes);
  assert.ok(rs);
  return new InitiatorHandshake(nodeCrypto, {
    s: initiatorS,
    rs,
    prologue: over.prologue ?? prologue,
  });
}

function newResponder(): ResponderHandshake {
  return new ResponderHandshake(nodeCrypto, {
    s: responderS,
    prologue,
    remoteStatic: (publicKey) => remoteStaticOf(nodeCrypto, responderS, publicKey),
  });
}

function flipped(message: Bytes, bit: number): Bytes {
  const copy = message.slice();
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return copy;
}

test('a flipped bit in any byte of message 1 is refused', () => {
  const message = newInitiator().writeMessage1(payload);
  assert.ok(message && newResponder().readMessage1(message));
  for (let at = 0; at < message.length; at++) {
    const damaged = flipped(message, 8 * at + (at % 8));
    assert.equal(newResponder().readMessage1(damaged), undefined, `byte ${at}`);
  }
});

test('a flipped bit in any byte of message 2 is refused, and the true one still accepted', () => {
  const initiator = newInitiator();
  const responder = newResponder();
  const message1 = initiator.writeMessage1(payload);
  assert.ok(message1 && responder.readMessage1(message1));
  const message2 = responder.writeMessage2(utf8('reply'));
  assert.ok(message2);
  for (let at = 0; at < message2.length; at++) {
    const damaged = flipped(message2, 8 * at + (at % 8));
    assert.equal(initiator.readMessage2(damaged), undefined, `byte ${at}`);
  }
  assert.deepEqual(initiator.readMessage2(message2), utf8('reply'));
});

test('every shorter message is refused', () => {
  const message = newInitiator().writeMessage1(payload);
  assert.ok(message);
  for (let length = 0; length < message.length; length++) {
    assert.equal(newResponder().readMessage1(message.subarray(0, length)), undefined);
  }
  for (let length = 0; length < 64; length++) {
    assert.equal(newInitiator().readMessage2(new Uint8Array(length)), undefined);
  }
});

test('another prologue or another responder is refused', () => {
  const wrongPrologue = newInitiator({ prologue: utf8('Prologue') }).writeMessage1(payload);
  assert.ok(wrongPrologue);
  assert.equal(newResponder().readMessage1(wrongPrologue), undefined);
  const third = keyPairFromSecret(new Uint8Array(32).fill(3)).publicKey.bytes;
  const wrongResponder = newInitiator({ rs: third }).writeMessage1(payload);
  assert.ok(wrongResponder);
  assert.equal(newResponder().readMessage1(wrongResponder), undefined);
});

test('message 2 cannot be written before message 1 was read', () => {
  const responder = newResponder();
  assert.equal(responder.writeMessage2(payload), undefined);
  assert.equal(responder.readMessage1(new Uint8Array(200)), undefined);
  assert.equal(responder.writeMessage2(payload), undefined);
});

const prime = 2n ** 255n - 19n;
/** RFC 7748 and cr.yp.to/ecdh.html: all u of small order, then their encodings above p. */
const smallOrder: readonly bigint[] = [
  0n,
  1n,
  325606250916557431795983626356110631294008115727848805560023387167927233504n,
  39382357235489614581723060781553021112529911719440698176882885853963445705823n,
  prime - 1n,
  prime,
  prime + 1n,
];

function littleEndian(value: bigint): Bytes {
  return Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * i)) & 255n));
}

test('points of small order are refused as static key and as ephemeral key', () => {
  for (const value of smallOrder) {
    const u = littleEndian(value);
    assert.equal(remoteStaticOf(nodeCrypto, initiatorS, u), undefined, `static ${value}`);
    const message1 = concatBytes(u, new Uint8Array(64));
    assert.equal(newResponder().readMessage1(message1), undefined, `e of message 1 ${value}`);
    const message2 = concatBytes(u, new Uint8Array(64));
    assert.equal(newInitiator().readMessage2(message2), undefined, `e of message 2 ${value}`);
  }
});

test('a responder refuses an initiator whose static key is of small order', () => {
  for (const value of smallOrder.filter((one) => one < prime)) {
    // The attacker knows that every DH with such a key gives zero, so it can complete message 1.
    const zero = new Uint8Array(32);
    const lax: NoiseCrypto = { ...nodeCrypto, dh: (pair, key) => nodeCrypto.dh(pair, key) ?? zero };
    const key = nodeCrypto.importPublicKey(littleEndian(value));
    const rs = remoteStaticOf(nodeCrypto, initiatorS, responderS.publicKey.bytes);
    assert.ok(key && rs);
    const message = new InitiatorHandshake(lax, {
      s: { publicKey: key, privateKey: initiatorS.privateKey },
      rs: { publicKey: rs.publicKey, ss: zero },
      prologue,
    }).writeMessage1(payload);
    assert.ok(message);
    assert.equal(newResponder().readMessage1(message), undefined, `${value}`);
  }
});

test('bit 255 set in a key is refused: it would be a second name of the same key', () => {
  const alias = responderS.publicKey.bytes.slice();
  alias[31] = (alias[31] ?? 0) | 0x80;
  assert.equal(remoteStaticOf(nodeCrypto, initiatorS, alias), undefined);

  // As an initiator's static key: sealed correctly, so that only the guard can refuse it.
  const { publicKey, privateKey } = initiatorS;
  const bytes = publicKey.bytes.slice();
  bytes[31] = (bytes[31] ?? 0) | 0x80;
  const rs = remoteStaticOf(nodeCrypto, initiatorS, responderS.publicKey.bytes);
  assert.ok(rs);
  const message = new InitiatorHandshake(nodeCrypto, {
    s: { publicKey: { bytes, key: publicKey.key }, privateKey },
    rs,
    prologue,
  }).writeMessage1(payload);
  assert.ok(message);
  assert.equal(newResponder().readMessage1(message), undefined);
});

test('−A: who dials the twin of an Ed25519 key fails, because the prologue names the key', () => {
  const key = new Uint8Array(32).fill(5);
  const twin = key.slice();
  twin[31] = (twin[31] ?? 0) ^ 0x80;
  // Both have the same X25519 key, so the initiator uses the right `rs` with the wrong prologue.
  const message = newInitiator({ prologue: concatBytes(prologue, twin) }).writeMessage1(payload);
  const responder = new ResponderHandshake(nodeCrypto, {
    s: responderS,
    prologue: concatBytes(prologue, key),
    remoteStatic: (publicKey) => remoteStaticOf(nodeCrypto, responderS, publicKey),
  });
  assert.ok(message);
  assert.equal(responder.readMessage1(message), undefined);
});
