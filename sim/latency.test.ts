import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Latencies } from './latency.ts';
import { seededRandom } from './random.ts';

test('round trips are log-normal, and those of a pair do not change', () => {
  const latencies = new Latencies({ rttMedianMs: 80, rttSigma: 0.6 }, seededRandom(1));
  const drawn: number[] = [];
  for (let a = 0; a < 200; a++) {
    for (let b = a + 1; b < 200; b++) {
      drawn.push(latencies.rttMs(a, b));
      assert.equal(latencies.rttMs(b, a), latencies.rttMs(a, b));
    }
  }
  const logs = drawn.map((rttMs) => Math.log(rttMs / 80));
  const mean = logs.reduce((sum, one) => sum + one, 0) / logs.length;
  const deviation = Math.sqrt(logs.reduce((sum, one) => sum + one ** 2, 0) / logs.length);
  assert.ok(Math.abs(mean) < 0.02, `${mean}`);
  assert.ok(Math.abs(deviation - 0.6) < 0.02, `${deviation}`);
  const above = drawn.filter((rttMs) => rttMs > latencies.p95Ms).length / drawn.length;
  assert.ok(Math.abs(above - 0.05) < 0.01, `${above}`);
});
