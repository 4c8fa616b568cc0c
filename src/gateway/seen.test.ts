/** What is remembered of requests. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Seen } from './seen.ts';

const request = (n: number): Buffer => Buffer.from(`GET /${n} HTTP/1.1\r\nHost: alice.alt\r\n\r\n`);

test('what came before is known, until others have taken its place', () => {
  const seen = new Seen(4096);
  assert.equal(seen.hasSeen(request(0)), false);
  assert.equal(seen.hasSeen(request(0)), true);
  let known = 0;
  for (let i = 1; i <= 100_000; i++) if (seen.hasSeen(request(i))) known++;
  assert.equal(known, 0, 'checksums of requests this alike differ');
  assert.equal(seen.hasSeen(request(100_000)), true);
  assert.equal(seen.hasSeen(request(0)), false);
});
