import assert from 'node:assert/strict';
import { createHash, createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { base32 } from 'multiformats/bases/base32';
import { authorOf } from '../../test/support/name-bench.ts';
import { checkProperty } from '../../test/support/property.ts';
import { isAltNetError } from '../base/errors.ts';
import { networkId, networkProfiles } from '../record/network.ts';
import { signCertificate } from '../record/zone.ts';
import { encodeCertificate, type NamedCertificate, parseCertificate } from './certificate-text.ts';

const network = networkId(networkProfiles.local);

function sample(label = 'alice'): NamedCertificate {
  const owner = authorOf(2).publicKey;
  const terms = { label, owner, serial: 7, notBefore: 1_767_225_600, notAfter: 1_798_761_600 };
  return { ...signCertificate(terms, { key: authorOf(1), network }), label, owner, network };
}

function isBad(error: unknown): boolean {
  return isAltNetError(error, 'CERTIFICATE_BAD');
}

test('a certificate is one line, and comes back whole', () => {
  for (const label of ['a', 'alice', 'x'.repeat(63)]) {
    const text = encodeCertificate(sample(label));
    assert.match(text, /^altcert1[a-z2-7]+$/);
    assert.deepEqual(parseCertificate(text), sample(label));
  }
});

test('it is written as the vector says, which others can read', () => {
  const file = path.join(import.meta.dirname, '../../test/vectors/names/certificate.json');
  const vector = JSON.parse(readFileSync(file, 'utf8')) as { readonly text: string };
  assert.deepEqual(vector, {
    network: 'local',
    registrarSeed: '01'.repeat(32),
    ownerSeed: '02'.repeat(32),
    label: 'alice',
    serial: 7,
    notBefore: 1_767_225_600,
    notAfter: 1_798_761_600,
    text: encodeCertificate(sample()),
  });
  const octets = base32.baseDecode(vector.text.slice('altcert1'.length));
  const signed = Buffer.concat([
    Buffer.from('altnet/reg/1\0'),
    octets.subarray(0, 16),
    createHash('sha256')
      .update('altnet/key/name\0')
      .update(octets.subarray(16, 48))
      .update('alice')
      .digest(),
    octets.subarray(48, 96),
  ]);
  const x = Buffer.from(octets.subarray(16, 48)).toString('base64url');
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  assert.ok(verify(null, signed, key, octets.subarray(96, 160)), 'by Node alone');
  const said = createHash('sha256').update('altnet/certtext/1\0').update(octets.subarray(0, -8));
  assert.deepEqual(octets.subarray(-8), new Uint8Array(said.digest().subarray(0, 8)));
});

test('space, line breaks and capitals do not matter', () => {
  const text = encodeCertificate(sample());
  const pasted = ` ${text.slice(0, 70).toUpperCase()}\r\n${text.slice(70)}\n`;
  assert.deepEqual(parseCertificate(pasted), sample());
});

test('a character that is missing, mistyped or too many is noticed', () => {
  const text = encodeCertificate(sample());
  const at = fc.nat({ max: text.length - 1 });
  const letter = fc.constantFrom('a', 'b', 'l', 'z', '2', '7', '0', '-');
  checkProperty(
    fc.property(at, letter, (i, other) => {
      assert.throws(() => parseCertificate(text.slice(0, i) + text.slice(i + 1)), isBad);
      if (text[i] === other) return;
      assert.throws(() => parseCertificate(text.slice(0, i) + other + text.slice(i + 1)), isBad);
    }),
  );
  for (const wrong of ['', 'altcert1', `${text}a`, `${text}${text}`, 'x'.repeat(1e6), '🙂']) {
    assert.throws(() => parseCertificate(wrong), isBad);
  }
});
