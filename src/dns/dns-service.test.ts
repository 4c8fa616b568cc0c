import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import { atEnd } from '../../test/support/cleanup.ts';
import { decodeAnswer, encodeQuery, linesOf } from '../../test/support/dns-messages.ts';
import { DnsNames } from '../../test/support/dns-names.ts';
import { addressOf, replyTo, startFakeResolver } from '../../test/support/fake-resolver.ts';
import { systemWorld } from '../base/clock.ts';
import { isAltNetError } from '../base/errors.ts';
import { silentLogger } from '../base/logger.ts';
import { DnsService, type DnsServiceOptions } from './dns-service.ts';
import { encodeFrame, FrameReader } from './frames.ts';

const loopback = { host: '127.0.0.1', port: 0 };

interface Running {
  readonly service: DnsService;
  readonly names: DnsNames;
  readonly port: number;
}

async function start(t: TestContext, over: Partial<DnsServiceOptions> = {}): Promise<Running> {
  const names = new DnsNames('alice.alt');
  const deps = {
    names,
    world: systemWorld,
    log: silentLogger,
    readSystem: () => Promise.resolve({ servers: [], search: [] }),
  };
  const options = { tld: 'alt', ips: ['127.0.0.1'], upstream: [], ...over };
  const service = new DnsService(deps, options, loopback);
  await service.start();
  atEnd(t, () => service.stop());
  return { service, names, port: service.address().port };
}

async function askByUdp(message: Uint8Array, port: number): Promise<Buffer> {
  const socket = createSocket('udp4');
  socket.send(message, port, '127.0.0.1');
  const [answer] = (await once(socket, 'message')) as [Buffer];
  socket.close();
  return answer;
}

async function connectTo(t: TestContext, port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => undefined);
  atEnd(t, () => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** However it ends. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once('close', () => resolve());
  });
}

/** IDs of the next `count` answers. */
async function idsFrom(socket: Socket, count: number): Promise<number[]> {
  const frames = new FrameReader(65_535);
  const ids: number[] = [];
  for await (const piece of socket.iterator({ destroyOnReturn: false })) {
    for (const message of frames.push(piece as Buffer))
      ids.push(Buffer.from(message).readUInt16BE(0));
    if (ids.length >= count) break;
  }
  return ids;
}

const query = (name: string, id = 1): Buffer => encodeQuery({ name, id });

const lines = (message: Uint8Array): string[] => linesOf(decodeAnswer(message).answers);

const isBad = (error: unknown): boolean => isAltNetError(error, 'BAD_ADDRESS');

describe('the service', () => {
  test('answers by datagram, connection and for HTTPS alike', async (t) => {
    const { service, port } = await start(t);
    const want = ['alice.alt A 60 127.0.0.1'];
    assert.deepEqual(lines(await askByUdp(query('alice.alt'), port)), want);
    const socket = await connectTo(t, port);
    socket.write(encodeFrame(query('alice.alt')));
    const [piece] = (await once(socket, 'data')) as [Buffer];
    assert.deepEqual(lines(piece.subarray(2)), want);
    const https = await service.answerHttps(query('alice.alt'), '127.0.0.1');
    assert.deepEqual(https && lines(https.message), want);
    assert.equal(https?.maxAgeSeconds, 60);
    assert.equal(await service.answerHttps(Buffer.from('no query'), '127.0.0.1'), undefined);
    const { received, answered } = service.counts();
    assert.deepEqual(received, { udp: 1, tcp: 1, https: 2 });
    assert.deepEqual(answered, { 'site.NOERROR': 3 });
  });

  test('passes on what others say, and says for how long', async (t) => {
    const upstream = await startFakeResolver(t, (seen) =>
      replyTo(seen, { answers: [addressOf(seen.name, '192.0.2.1', 77)] }),
    );
    const { host, port: at } = upstream.address;
    const { service, port } = await start(t, { upstream: [`${host}:${at}`] });
    const answer = decodeAnswer(await askByUdp(query('Example.com', 9), port));
    assert.deepEqual([answer.id, answer.questions?.[0]?.name], [9, 'Example.com']);
    const https = await service.answerHttps(query('example.com'), '127.0.0.1');
    assert.ok(https && https.maxAgeSeconds > 70 && https.maxAgeSeconds <= 77);
    assert.equal(upstream.seen.length, 1);
    assert.ok(service.counts().cacheBytes > 0);
  });

  test('does not ask itself', async (t) => {
    const first = await start(t);
    const { port } = first;
    await first.service.stop();
    const service = new DnsService(
      { names: new DnsNames(), world: systemWorld, log: silentLogger },
      { tld: 'alt', ips: [], upstream: [`127.0.0.1:${port}`, `[::ffff:127.0.0.1]:${port}`] },
      { host: 'localhost', port },
    );
    await service.start();
    atEnd(t, () => service.stop());
    const answer = decodeAnswer(await askByUdp(query('example.com'), port));
    assert.equal(answer.rcode, 2);
    assert.equal(service.counts().received['udp'], 1);
  });

  test('forgets what changed', async (t) => {
    const { service, names, port } = await start(t);
    const rcode = async (): Promise<number> =>
      decodeAnswer(await askByUdp(query('bob.alt'), port)).rcode;
    assert.equal(await rcode(), 3);
    names.states.set('bob.alt', 'new');
    service.forgetAbsent();
    assert.equal(await rcode(), 0);
    names.states.clear();
    service.forgetAll();
    assert.equal(await rcode(), 3);
  });

  test('takes a port only whole, and gives it back', async (t) => {
    const { service, port } = await start(t);
    const again = new DnsService(
      { names: new DnsNames(), world: systemWorld, log: silentLogger },
      { tld: 'alt', ips: [], upstream: [] },
      { host: '127.0.0.1', port },
    );
    await assert.rejects(again.start(), (error) => isAltNetError(error, 'PORT_TAKEN'));
    await again.stop();
    await service.stop();
    await service.stop();
    const udp = createSocket('udp4');
    udp.bind(port, '127.0.0.1');
    await once(udp, 'listening');
    const third = new DnsService(
      { names: new DnsNames(), world: systemWorld, log: silentLogger },
      { tld: 'alt', ips: [], upstream: [] },
      { host: '127.0.0.1', port },
    );
    await assert.rejects(third.start(), (error) => isAltNetError(error, 'PORT_TAKEN'));
    udp.close();
    await assert.rejects(async () => connectTo(t, port)); // TCP, which it had, is free again
  });

  test('listens and asks at addresses alone', () => {
    const deps = { names: new DnsNames(), world: systemWorld, log: silentLogger };
    const options = { tld: 'alt', ips: [], upstream: [] };
    assert.throws(() => new DnsService(deps, options, { host: 'example.com', port: 1 }), isBad);
    for (const upstream of ['example.com:53', 'x', '1.2.3.4:0']) {
      assert.throws(
        () => new DnsService(deps, { ...options, upstream: [upstream] }, loopback),
        isBad,
      );
    }
  });
});

describe('connections', () => {
  test('carry many questions, also while one waits', async (t) => {
    const { names, port } = await start(t);
    const { promise, resolve } = Promise.withResolvers<void>();
    const socket = await connectTo(t, port);
    socket.write(encodeFrame(query('alice.alt', 1)));
    assert.deepEqual(await idsFrom(socket, 1), [1]);
    names.gate = promise;
    socket.write(
      Buffer.concat([encodeFrame(query('late.alt', 2)), encodeFrame(query('alice.alt', 3))]),
    );
    assert.deepEqual(await idsFrom(socket, 1), [3]);
    resolve();
    assert.deepEqual(await idsFrom(socket, 1), [2]);
  });

  test('carry no more at a time than allowed, and lose none of it', async (t) => {
    const { service, port } = await start(t, { tcp: { pendingMax: 4 } });
    const socket = await connectTo(t, port);
    const all = Array.from({ length: 200 }, (_, i) => i);
    socket.write(Buffer.concat(all.map((id) => encodeFrame(query('alice.alt', id)))));
    const ids = await idsFrom(socket, all.length);
    assert.deepEqual(
      ids.toSorted((a, b) => a - b),
      all,
    );
    assert.ok((service.counts().limited['pipeline'] ?? 0) > 0);
  });

  test('are few of one source, and the rest is closed', async (t) => {
    const { service, port } = await start(t, { tcp: { connectionsOfOneMax: 2 } });
    const first = await connectTo(t, port);
    await connectTo(t, port);
    const third = await connectTo(t, port);
    await closed(third);
    assert.equal(service.counts().limited['connections'], 1);
    first.write(encodeFrame(query('alice.alt', 5)));
    assert.deepEqual(await idsFrom(first, 1), [5]);
  });

  test('end when nothing whole comes, when it is no question, and when it is too long', async (t) => {
    const { port } = await start(t, { tcp: { idleMs: 100 } });
    for (const octets of [[], [0, 50, 1, 2], [0, 3, 1, 2, 3], [0, 0], [255, 255]]) {
      const socket = await connectTo(t, port);
      socket.write(Buffer.from(octets));
      await closed(socket);
    }
  });

  test('end with the service', async (t) => {
    const { service, names, port } = await start(t);
    names.gate = new Promise(() => undefined);
    const socket = await connectTo(t, port);
    socket.write(encodeFrame(query('late.alt')));
    await Promise.all([closed(socket), service.stop()]);
  });
});
