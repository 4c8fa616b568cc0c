import assert from 'node:assert/strict';
import { test } from 'node:test';
import { property, uint8Array } from 'fast-check';
import { type Endpoint, parseEndpoint } from '../../base/address.ts';
import { checkProperty } from '../../../test/support/property.ts';
import { streamPair } from '../../../test/support/stream-pair.ts';
import { isPunchable, offer, respond } from './dialogue.ts';
import {
  decodePunchFrame,
  encodePunchFrame,
  punchFrameBytes,
  type PunchFrame,
} from './punch-frames.ts';

function at(text: string): Endpoint {
  const endpoint = parseEndpoint(text);
  assert.ok(endpoint);
  return endpoint;
}

const [ours, theirs] = [at('45.1.1.1:20001'), at('45.2.2.2:20002')];

/** It is 100 ms later each time that it is asked. */
function slowClock(): { monotonicMs(): number } {
  let nowMs = 0;
  return { monotonicMs: () => (nowMs += 100) };
}

test('frames are read as they were written, and no other octets are frames', () => {
  const frames: PunchFrame[] = [
    { type: 'offer', endpoint: ours },
    { type: 'accept', endpoint: at('[2001:db8::1]:4000') },
    { type: 'ping' },
    { type: 'pong' },
    { type: 'go' },
    { type: 'decline', reason: 'unpredictable' },
  ];
  for (const frame of frames) {
    const bytes = encodePunchFrame(frame);
    assert.equal(bytes.length, punchFrameBytes);
    assert.deepEqual(decodePunchFrame(bytes), frame);
  }
  assert.equal(decodePunchFrame(new Uint8Array(punchFrameBytes)), undefined);
  const portless = encodePunchFrame({ type: 'offer', endpoint: { ...ours, port: 0 } });
  assert.equal(decodePunchFrame(portless), undefined);
  checkProperty(
    property(uint8Array({ maxLength: 2 * punchFrameBytes }), (bytes) => {
      decodePunchFrame(bytes);
    }),
  );
});

test('both learn of the other, and who began waits half of the way', async () => {
  const [left, right] = streamPair();
  const [began, answered] = await Promise.all([
    offer(left, ours, slowClock()),
    respond(right, async (endpoint) => {
      assert.deepEqual(endpoint, ours);
      return { accept: theirs };
    }),
  ]);
  assert.deepEqual(began, { kind: 'agreed', endpoint: theirs, waitMs: 50 });
  assert.deepEqual(answered, { kind: 'agreed', endpoint: ours, waitMs: 0 });
});

test('a refusal is a refusal at both ends', async () => {
  const [left, right] = streamPair();
  const [began, answered] = await Promise.all([
    offer(left, ours, slowClock()),
    respond(right, async () => ({ decline: 'unpredictable' })),
  ]);
  assert.deepEqual(began, { kind: 'declined', reason: 'unpredictable' });
  assert.deepEqual(answered, began);
});

test('an address that leads home, nearby or to a service is not dialled', async () => {
  for (const bad of ['127.0.0.1:20002', '192.168.1.1:20002', '45.2.2.2:22', '45.1.1.1:20002']) {
    assert.equal(isPunchable(at(bad), ours), false, bad);
    const [left, right] = streamPair();
    const began = offer(left, ours, slowClock());
    void respond(right, async () => ({ accept: at(bad) })).catch(() => undefined);
    assert.deepEqual(await began, { kind: 'declined', reason: 'unusable' });
  }
  assert.equal(isPunchable(at('[2001:db8::1]:4000'), ours), false, 'another family');
  assert.ok(isPunchable(theirs, ours));
});

test('who says something else, or stops in the middle, has agreed to nothing', async () => {
  const wrong: PunchFrame[][] = [
    [{ type: 'pong' }],
    [{ type: 'accept', endpoint: theirs }, { type: 'go' }],
    [],
  ];
  for (const frames of wrong) {
    const [left, right] = streamPair();
    for (const frame of frames) await right.write(encodePunchFrame(frame));
    await right.close();
    assert.deepEqual(await offer(left, ours, slowClock()), { kind: 'broken' });
  }
  for (const frames of [[{ type: 'go' }], [{ type: 'offer', endpoint: ours }, { type: 'go' }]]) {
    const [left, right] = streamPair();
    for (const frame of frames as PunchFrame[]) await left.write(encodePunchFrame(frame));
    await left.close();
    const agreed = await respond(right, async () => ({ accept: theirs }));
    assert.deepEqual(agreed, { kind: 'broken' });
  }
});
