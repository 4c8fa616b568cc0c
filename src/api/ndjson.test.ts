import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collect } from '../../test/support/collect.ts';
import { LatestValue } from './latest.ts';
import { readLines } from './ndjson.ts';

async function* chunksOf(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

test('values come back whole wherever the stream is cut', async () => {
  const values = [{ a: 'Grüße\n' }, [1, null], 'x', { deep: { er: true } }];
  const text = `${values.map((value) => JSON.stringify(value)).join('\n')}\n\n`;
  const bytes = new TextEncoder().encode(text);
  for (let size = 1; size <= bytes.length; size++) {
    assert.deepEqual(await collect(readLines(chunksOf(bytes, size))), values);
  }
  const unfinished = new TextEncoder().encode('1\n2');
  assert.deepEqual(await collect(readLines(chunksOf(unfinished, 9))), [1, 2]);
});

test('what is no JSON, or a line without end, is refused', async () => {
  const bad = chunksOf(new TextEncoder().encode('{}\n{'), 10);
  await assert.rejects(collect(readLines(bad)), { code: 'BAD_ARGUMENT' });
  const endless = chunksOf(new Uint8Array(3 << 20).fill(0x61), 1 << 16);
  await assert.rejects(collect(readLines(endless)), { code: 'BAD_ARGUMENT' });
});

test('the newest value is read, also the last before the end', async () => {
  const latest = new LatestValue<number>();
  const seen: number[] = [];
  const reading = (async () => {
    for await (const value of latest) seen.push(value);
  })();
  latest.set(1);
  latest.set(2);
  await new Promise((resolve) => setImmediate(resolve));
  latest.set(3);
  await new Promise((resolve) => setImmediate(resolve));
  latest.set(4);
  latest.end();
  await reading;
  assert.deepEqual(seen, [2, 3, 4]);
});
