import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '../base/bytes.ts';
import { systemWorld } from '../base/clock.ts';
import { sha256 } from '../base/hash.ts';
import { recordKinds } from './kinds.ts';
import { findPow, type PowProgress, powBitsOf } from './pow.ts';

const task = { kind: recordKinds.name, key: sha256(utf8('key')), author: sha256(utf8('author')) };

test('the nonce shows the work that was asked for', async () => {
  for (const bits of [1, 5, 10]) {
    const powNonce = await findPow({ ...task, bits }, systemWorld);
    assert.equal(powNonce.length, 8);
    assert.ok(powBitsOf({ ...task, powNonce }) >= bits);
  }
});

test('no work gives zeros', async () => {
  assert.deepEqual(await findPow({ ...task, bits: 0 }, systemWorld), new Uint8Array(8));
});

test('work counts for one kind, key and author', async () => {
  const powNonce = await findPow({ ...task, bits: 16 }, systemWorld);
  const others = [
    { ...task, kind: recordKinds.link },
    { ...task, key: task.author },
    { ...task, author: task.key },
  ];
  assert.ok(others.some((other) => powBitsOf({ ...other, powNonce }) < 16));
});

test('the counter wraps around at its end', async () => {
  const random = { bytes: () => new Uint8Array(8).fill(255), fraction: () => 0 };
  const powNonce = await findPow({ ...task, bits: 9 }, { ...systemWorld, random });
  assert.ok(powBitsOf({ ...task, powNonce }) >= 9);
});

test('a search can be watched and given up', async () => {
  const controller = new AbortController();
  const seen: PowProgress[] = [];
  const search = findPow(
    {
      ...task,
      bits: 256,
      signal: controller.signal,
      onProgress(progress) {
        seen.push(progress);
        if (seen.length === 2) controller.abort(new Error('enough'));
      },
    },
    systemWorld,
  );
  await assert.rejects(search, /enough/);
  assert.equal(seen.length, 2);
  assert.ok((seen[1]?.tried ?? 0) > (seen[0]?.tried ?? 0));
});

test('a signal that has aborted already stops it at once', async () => {
  const signal = AbortSignal.abort(new Error('too late'));
  await assert.rejects(findPow({ ...task, bits: 0, signal }, systemWorld), /too late/);
});
