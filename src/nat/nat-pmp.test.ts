import assert from 'node:assert/strict';
import { test } from 'node:test';
import { property, uint8Array } from 'fast-check';
import { systemWorld } from '../base/clock.ts';
import { natPmpGateway } from '../../test/support/fake-router.ts';
import { checkProperty } from '../../test/support/property.ts';
import { decodeAnswer, encodeMapRequest, NatPmpRouter } from './nat-pmp.ts';
import { RouterRefusal } from './router.ts';

const { timers } = systemWorld;
const wish = {
  protocol: 'tcp',
  internalPort: 4001,
  externalPort: 4001,
  leaseSeconds: 3600,
} as const;

/** 4001 is 0x0fa1, 3600 is 0x0e10. */
const mapped = Uint8Array.of(0, 130, 0, 0, 0, 0, 0, 9, 0x0f, 0xa1, 0x10, 0, 0, 0, 0x0e, 0x10);

test('a request for a mapping has the octets of RFC 6886', () => {
  assert.deepEqual(
    encodeMapRequest(wish),
    Uint8Array.of(0, 2, 0, 0, 0x0f, 0xa1, 0x0f, 0xa1, 0, 0, 0x0e, 0x10),
  );
  assert.deepEqual(
    encodeMapRequest({ ...wish, protocol: 'udp', externalPort: 0, leaseSeconds: 0 }),
    Uint8Array.of(0, 1, 0, 0, 0x0f, 0xa1, 0, 0, 0, 0, 0, 0),
  );
});

test('a mapping, the address and a refusal are understood', async (t) => {
  const port = await natPmpGateway(t, (request) => {
    if (request[1] === 0) return [Uint8Array.of(0, 128, 0, 0, 0, 0, 0, 9, 45, 1, 2, 3)];
    if (request[1] === 2) return [mapped];
    return [Uint8Array.of(0, 129, 0, 2, 0, 0, 0, 9)];
  });
  const router = new NatPmpRouter('127.0.0.1', { timers, port });
  assert.equal(await router.externalIp({}), '45.1.2.3');
  assert.deepEqual(await router.map(wish, {}), { externalPort: 4096, leaseSeconds: 3600 });
  await assert.rejects(router.map({ ...wish, protocol: 'udp' }, {}), RouterRefusal);
});

test('nonsense before the answer is passed over, and what is short ends nothing', async (t) => {
  const port = await natPmpGateway(t, () => [
    new Uint8Array(),
    Uint8Array.of(1),
    Uint8Array.of(0, 130, 0),
    mapped.subarray(0, 15),
    Uint8Array.of(...mapped.subarray(0, 8), 9, 9, ...mapped.subarray(10)),
    mapped,
  ]);
  const router = new NatPmpRouter('127.0.0.1', { timers, port });
  assert.equal((await router.map(wish, {})).externalPort, 4096);
});

test('no octets that come make it throw anything but a refusal', () => {
  const request = encodeMapRequest(wish);
  checkProperty(
    property(uint8Array({ maxLength: 20 }), (answer) => {
      try {
        const view = decodeAnswer(request, answer);
        return view === undefined || view.byteLength === 16;
      } catch (error) {
        return error instanceof RouterRefusal;
      }
    }),
  );
});

test('a gateway that the system does not let us reach is given up', async () => {
  const router = new NatPmpRouter('255.255.255.255', { timers, port: 5351 });
  await assert.rejects(router.map(wish, {}), RouterRefusal);
});

test('a gateway that is silent is given up', async (t) => {
  const port = await natPmpGateway(t, () => []);
  const router = new NatPmpRouter('127.0.0.1', { timers, port });
  await assert.rejects(router.externalIp({}), RouterRefusal);
  const given = new AbortController();
  const asked = router.externalIp({ signal: given.signal });
  given.abort(new Error('stopped'));
  await assert.rejects(asked, /stopped/);
});
