/** Peers that have much sent to them and take nothing of it: what waits for them has a bound. */
import assert from 'node:assert/strict';
import { randomBytes, X509Certificate } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { TLSSocket } from 'node:tls';
import { atEnd } from '../../test/support/cleanup.ts';
import { yamuxHead as head } from '../../test/support/yamux-head.ts';
import { concatBytes, toHex } from '../base/bytes.ts';
import { sha256 } from '../base/hash.ts';
import { SigningKey } from '../identity/key.ts';
import { parseMultiaddr } from './address.ts';
import { greeting } from './greeting.ts';
import { PeerHost } from './host.ts';
import { dialLone } from './lone/dial.ts';
import type { ByteStream } from './stream.ts';

const protocol = '/test/bounds/1';
const pieceBytes = 512 * 1024;
const [data, window] = [0, 1];
const [syn, rst] = [1, 8];

async function startHost(t: TestContext): Promise<PeerHost> {
  const key = new SigningKey('node', randomBytes(32));
  const host = new PeerHost({ key, listen: [{ host: '127.0.0.1', port: 0 }] });
  await host.start();
  atEnd(t, () => host.stop());
  return host;
}

/** A connection on which nothing is ever read. */
async function dialDeaf(t: TestContext, server: PeerHost): Promise<TLSSocket> {
  const { raw } = new X509Certificate((await server.certificate()).cert);
  const endpoints = server.addresses().flatMap((text) => parseMultiaddr(text) ?? []);
  const target = { endpoints, proofs: [toHex(sha256(raw))] };
  const certificate = await (await startHost(t)).certificate();
  const tls = await dialLone(target, { certificate, signal: AbortSignal.timeout(10_000) });
  atEnd(t, () => void tls.destroy());
  return tls;
}

/** What the sockets of this process have taken and the system has not, at most of one of them. */
function watchUnsent(t: TestContext): () => number {
  const sockets = new Set<TLSSocket>();
  const { prototype } = TLSSocket;
  const write: unknown = Reflect.get(prototype, 'write');
  assert.ok(typeof write === 'function');
  t.mock.method(prototype, 'write', function (this: TLSSocket, ...how: unknown[]): boolean {
    sockets.add(this);
    return Reflect.apply(write, this, how) as boolean;
  });
  return () => Math.max(...[...sockets].map(({ writableLength }) => writableLength));
}

/** Resolves when it has been so large for a while, or grew no more. */
async function settled(bytes: () => number): Promise<void> {
  let before = -1;
  for (let same = 0; same < 50; same = bytes() === before ? same + 1 : 0) {
    before = bytes();
    await setImmediate();
  }
}

test('however many streams are asked for much, little waits behind them once they are reset', async (t) => {
  const unsent = watchUnsent(t);
  const server = await startHost(t);
  const ids = Array.from({ length: 24 }, (_, n) => 2 * n + 1);
  const begun = Promise.withResolvers<void>();
  const over = Promise.withResolvers<void>();
  let [streams, ends] = [0, 0];
  const serve = async (stream: ByteStream): Promise<void> => {
    if (++streams === ids.length) begun.resolve();
    const asked = stream.read[Symbol.asyncIterator]();
    await asked.next();
    const piece = stream.memoryFor?.(pieceBytes) ?? new Uint8Array(pieceBytes);
    try {
      await stream.write(piece.fill(1));
      await asked.next();
    } finally {
      if (++ends === ids.length) over.resolve();
    }
  };
  await server.handle(protocol, serve, { streamsMax: ids.length });
  const tls = await dialDeaf(t, server);
  const greet = greeting(protocol);
  for (const id of ids) {
    tls.write(concatBytes(head(window, syn, id, 4 * pieceBytes)));
    tls.write(concatBytes(head(data, 0, id, greet.length), greet));
  }
  await begun.promise;
  for (const id of ids) tls.write(concatBytes(head(data, 0, id, 1), Uint8Array.of(7)));
  await settled(unsent);
  for (const id of ids) tls.write(head(window, rst, id, 0));
  await over.promise;
  assert.ok(unsent() < 3 * pieceBytes + 64 * 1024, `${unsent()} octets`);
});
