import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { generateKeyPair } from '@libp2p/crypto/keys';
import type { PrivateKey } from '@libp2p/interface';
import { generateCertificate } from '@libp2p/tls/utils';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import type { Bytes } from '../base/bytes.ts';
import { systemWorld } from '../base/clock.ts';
import { Certificates } from './certificates.ts';

const yearMs = 365 * 24 * 60 * 60 * 1000;

function rawOf({ cert }: { readonly cert: string }): Bytes {
  return new X509Certificate(cert).raw;
}

async function someCertificate(): Promise<{ raw: Bytes; privateKey: PrivateKey }> {
  const privateKey = await generateKeyPair('Ed25519');
  return { raw: rawOf(await generateCertificate(privateKey)), privateKey };
}

function moveTo(t: TestContext, now: number): void {
  t.mock.timers.reset();
  t.mock.timers.enable({ apis: ['Date'], now });
}

test('the own certificate is made once, and proves the node key', async () => {
  const privateKey = await generateKeyPair('Ed25519');
  const certificates = new Certificates(systemWorld.clock);
  const [one, another] = await Promise.all([
    certificates.own(privateKey),
    certificates.own(privateKey),
  ]);
  assert.equal(one, another);
  const peer = await certificates.verify(rawOf(one));
  assert.ok(peer.equals(peerIdFromPrivateKey(privateKey)));
  const next = await new Certificates(systemWorld.clock).own(privateKey);
  assert.notDeepEqual(rawOf(next), rawOf(one));
});

test('each certificate proves its own key, at the first time and later', async () => {
  const certificates = new Certificates(systemWorld.clock);
  const some = await Promise.all([someCertificate(), someCertificate()]);
  for (const { raw, privateKey } of [...some, ...some]) {
    assert.ok((await certificates.verify(raw)).equals(peerIdFromPrivateKey(privateKey)));
  }
});

test('what is remembered of a certificate shares no memory with it', async () => {
  const { raw } = await someCertificate();
  const certificates = new Certificates(systemWorld.clock);
  const [first, later] = [await certificates.verify(raw), await certificates.verify(raw)];
  assert.ok(first.equals(later) && first.type === 'Ed25519' && later.type === 'Ed25519');
  assert.notEqual(first.publicKey.raw.buffer, later.publicKey.raw.buffer);
  assert.notEqual(first.toMultihash().bytes.buffer, later.toMultihash().bytes.buffer);
});

test('what was verified is refused when its time has not come or is over', async (t) => {
  const { raw } = await someCertificate();
  const certificates = new Certificates(systemWorld.clock);
  await certificates.verify(raw);
  const now = Date.now();
  moveTo(t, now + 101 * yearMs);
  await assert.rejects(certificates.verify(raw), /expired/);
  moveTo(t, now - yearMs);
  await assert.rejects(certificates.verify(raw), /not valid yet/);
  moveTo(t, now);
  await certificates.verify(raw);
});

test('a certificate that was changed anywhere, garbage and one that is too large', async () => {
  const { raw } = await someCertificate();
  const certificates = new Certificates(systemWorld.clock);
  const peer = await certificates.verify(raw);
  for (let at = 0; at < raw.length; at += 13) {
    const changed = Uint8Array.from(raw);
    changed[at] = (changed[at] ?? 0) ^ 1;
    // A bit of the encoding may mean nothing, but then the key is what it was.
    const found = await certificates.verify(changed).catch(() => undefined);
    assert.ok(found === undefined || found.equals(peer), `octet ${at}`);
  }
  await assert.rejects(certificates.verify(new Uint8Array()));
  await assert.rejects(certificates.verify(new Uint8Array(5000)), /too large/);
});
