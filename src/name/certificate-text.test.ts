import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
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

test('its octets', () => {
  const text = encodeCertificate(sample());
  assert.equal(text.length, 8 + Math.ceil((8 * (160 + 5 + 8)) / 5));
  assert.ok(text.startsWith('altcert1'));
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
