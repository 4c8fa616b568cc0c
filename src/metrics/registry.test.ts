/** The text form, read back by a strict parser. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { sampleSnapshot } from '../../test/support/metrics-samples.ts';
import { parsePrometheusText, type TextFamily } from '../../test/support/prometheus-text.ts';
import { labelled, single } from './family.ts';
import { nodeFamilies } from './metrics.ts';
import { MetricsRegistry } from './registry.ts';

async function sampleText(): Promise<TextFamily[]> {
  const registry = new MetricsRegistry();
  registry.add({ families: nodeFamilies, take: () => sampleSnapshot });
  const { text, contentType } = await registry.text('prometheus');
  assert.match(contentType, /^text\/plain; version=0\.0\.4/);
  return parsePrometheusText(text);
}

function valueOf(families: TextFamily[], name: string, labels: Record<string, string>): number {
  const all = families.flatMap(({ samples }) => samples);
  const found = all.filter((one) => one.name === name && isDeepStrictEqual(one.labels, labels));
  assert.equal(found.length, 1, `${name} ${JSON.stringify(labels)}`);
  return found[0]?.value ?? Number.NaN;
}

test('every family is exported, with its help, its type and a sample', async () => {
  const families = await sampleText();
  assert.deepEqual(
    families.map(({ name, type, help }) => [name, type, help]),
    nodeFamilies.map(({ name, type, help }) => [name, type, help]),
  );
  assert.deepEqual(
    families.filter(({ samples }) => samples.length === 0).map(({ name }) => name),
    [],
  );
});

test('names follow the conventions: a prefix, the unit last, _total for counters alone', () => {
  for (const { name, type, help, labels } of nodeFamilies) {
    assert.match(name, /^altnet_[a-z]+(_[a-z]+)*$/);
    assert.equal(name.endsWith('_total'), type === 'counter', name);
    if (type === 'histogram') assert.match(name, /_seconds$/);
    assert.match(help, /^[A-Z1].*\.$/);
    for (const label of labels) assert.match(label, /^[a-z]+$/);
  }
});

test('the labels are those that are declared, and none can hold what a peer chose', async () => {
  for (const { name, samples } of await sampleText()) {
    const family = nodeFamilies.find((one) => one.name === name);
    for (const sample of samples) {
      const labels = Object.keys(sample.labels).filter((label) => label !== 'le');
      assert.deepEqual(labels.toSorted(), [...(family?.labels ?? [])].toSorted(), name);
      for (const value of Object.values(sample.labels)) assert.match(value, /^[\w.+-]{1,32}$/);
    }
  }
});

test('numbers are those of the snapshot', async () => {
  const families = await sampleText();
  const of = (name: string, labels: Record<string, string> = {}): number =>
    valueOf(families, `altnet_${name}`, labels);
  assert.equal(of('dht_contacts'), 20);
  assert.equal(of('dht_requests_sent_total', { method: 'get', result: 'unanswered' }), 1);
  assert.equal(of('packets_total', { kind: 'init', event: 'rate' }), 8);
  assert.equal(of('stream_bytes_total', { protocol: 'sync', direction: 'sent' }), 2000);
  assert.equal(of('gateway_responses_total', { code: 'none' }), 1);
  assert.equal(of('revocation_lists', { state: 'stale' }), 1);
  assert.equal(of('revocation_age_seconds'), 1100);
  assert.equal(of('revocations'), 6);
  const bucket = (le: string): number =>
    of('dht_lookup_duration_seconds_bucket', { purpose: 'nodes', le });
  assert.deepEqual([bucket('0.1'), bucket('1'), bucket('+Inf')], [1, 1, 2]);
  assert.equal(of('dht_lookup_duration_seconds_sum', { purpose: 'nodes' }), 2.05);
});

test('a scrape takes one snapshot, and a later one another', async () => {
  let taken = 0;
  const registry = new MetricsRegistry();
  const families = [
    single('gauge', { name: 'a', help: 'A.' }, (n: number) => n),
    labelled('gauge', { name: 'b', help: 'B.', label: 'x' }, (n: number) => ({ y: n })),
  ];
  registry.add({ families, take: () => ++taken });
  const first = parsePrometheusText((await registry.text('prometheus')).text);
  const second = parsePrometheusText((await registry.text('prometheus')).text);
  const values = [first, second].map((all) =>
    all.flatMap(({ samples }) => samples.map(({ value }) => value)),
  );
  assert.deepEqual(values, [
    [2, 2],
    [3, 3],
  ]);
});

test('what is escaped reads back, and what has nothing to tell has no sample', async () => {
  const registry = new MetricsRegistry();
  const odd = 'a "b" \\ \n c';
  const families = [
    labelled('gauge', { name: 'odd', help: 'A \\ and\na line.', label: 'x' }, () => ({ [odd]: 1 })),
    single('gauge', { name: 'none', help: 'Nothing.' }, () => undefined),
  ];
  registry.add({ families, take: () => 0 });
  const [one, none] = parsePrometheusText((await registry.text('prometheus')).text);
  assert.deepEqual(one?.samples, [{ name: 'odd', labels: { x: odd }, value: 1 }]);
  assert.deepEqual(none?.samples, []);
});

test('OpenMetrics ends with its mark and names counters without _total', async () => {
  const registry = new MetricsRegistry();
  registry.add({ families: nodeFamilies, take: () => sampleSnapshot });
  const { text, contentType } = await registry.text('openmetrics');
  assert.match(contentType, /^application\/openmetrics-text; version=1\.0\.0/);
  assert.ok(text.endsWith('\n# EOF\n'));
  assert.match(text, /^# TYPE altnet_store_evictions counter$/m);
  assert.match(text, /^altnet_store_evictions_total 13$/m);
  const again = await registry.text('openmetrics');
  assert.equal(again.text, text);
  const plain = await registry.text('prometheus');
  assert.match(plain.text, /^# TYPE altnet_store_evictions_total counter$/m);
});
