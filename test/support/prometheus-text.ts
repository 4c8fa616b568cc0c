/**
 * A strict reader of the Prometheus text format, version 0.0.4, for tests of what is exported. It
 * throws for whatever a lenient reader would let pass: a family in two places, a sample outside of
 * its family, a bad escape, a histogram whose buckets sink or do not end with all.
 */
import assert from 'node:assert/strict';

export interface TextSample {
  /** Of the line: "…_bucket" where the family is a histogram. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface TextFamily {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly samples: readonly TextSample[];
}

const metricName = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const helpLine = /^# HELP (\S+) (.+)$/;
const typeLine = /^# TYPE (\S+) (counter|gauge|histogram)$/;
const sampleLine = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const labelPart = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,(?=[a-zA-Z_])|$)/;
const numberText = /^(?:[+-]?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?|[+-]Inf|NaN)$/;

export function parsePrometheusText(text: string): TextFamily[] {
  assert.ok(text.endsWith('\n'), 'the last line ends');
  const families: (TextFamily & { samples: TextSample[] })[] = [];
  let help: { name: string; text: string } | undefined;
  for (const line of text.slice(0, -1).split('\n')) {
    if (line === '') continue;
    const [, helped, helpText = ''] = helpLine.exec(line) ?? [];
    if (helped !== undefined) {
      assert.equal(help, undefined, `two HELP in a row: ${line}`);
      assert.match(helped, metricName);
      assert.match(helpText, /^(?:[^\\]|\\[\\n])*$/, `a bad escape: ${line}`);
      help = { name: helped, text: helpText };
      continue;
    }
    const [, typed, type] = typeLine.exec(line) ?? [];
    if (typed !== undefined) {
      assert.equal(help?.name, typed, `TYPE without its HELP: ${line}`);
      assert.ok(!families.some(({ name }) => name === typed), `${typed} stands there twice`);
      const kind = type as TextFamily['type'];
      families.push({ name: typed, help: help?.text ?? '', type: kind, samples: [] });
      help = undefined;
      continue;
    }
    const family = families.at(-1);
    const sample = parseSample(line);
    assert.ok(family && help === undefined, `a sample before its TYPE: ${line}`);
    assert.ok(namesOf(family).includes(sample.name), `not of ${family.name}: ${line}`);
    family.samples.push(sample);
  }
  assert.equal(help, undefined, 'a HELP without TYPE at the end');
  for (const family of families) checkFamily(family);
  return families;
}

function parseSample(line: string): TextSample {
  const [, name = '', labelText = '', valueText = ''] = sampleLine.exec(line) ?? [];
  assert.ok(name, `no sample: ${line}`);
  assert.match(valueText, numberText, line);
  const labels: Record<string, string> = {};
  for (let rest = labelText; rest !== '';) {
    const [part = '', label = '', value = ''] = labelPart.exec(rest) ?? [];
    assert.ok(part, `bad labels: ${line}`);
    assert.ok(!(label in labels), `a label twice: ${line}`);
    labels[label] = value.replaceAll(/\\([\\"n])/g, (_, c: string) => (c === 'n' ? '\n' : c));
    rest = rest.slice(part.length);
  }
  const value = Number(valueText.replace('Inf', 'Infinity'));
  return { name, labels, value };
}

function namesOf({ name, type }: TextFamily): string[] {
  return type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];
}

function checkFamily(family: TextFamily): void {
  const { name, type, samples } = family;
  const keys = samples.map((sample) => JSON.stringify([sample.name, sample.labels]));
  assert.equal(new Set(keys).size, keys.length, `${name} tells something twice`);
  if (type === 'counter') {
    assert.match(name, /_total$/);
    for (const { value } of samples) assert.ok(value >= 0, `${name} is negative`);
  }
  if (type === 'histogram') checkHistogram(family);
}

function checkHistogram({ name, samples }: TextFamily): void {
  const series = Map.groupBy(samples, ({ labels: { le: _le, ...others } }) =>
    JSON.stringify(others),
  );
  for (const [key, all] of series) {
    const buckets = all.filter((sample) => sample.name === `${name}_bucket`);
    const sums = all.filter((sample) => sample.name === `${name}_sum`);
    const counts = all.filter((sample) => sample.name === `${name}_count`);
    assert.deepEqual([sums.length, counts.length], [1, 1], `${name} ${key}`);
    const bounds = buckets.map(({ labels }) => Number(labels['le']?.replace('Inf', 'Infinity')));
    assert.deepEqual(
      bounds,
      bounds.toSorted((a, b) => a - b),
      `${name} ${key}: bounds in order`,
    );
    assert.equal(bounds.at(-1), Infinity, `${name} ${key} ends with +Inf`);
    for (const [i, { value }] of buckets.entries()) {
      assert.ok(i === 0 || value >= (buckets[i - 1]?.value ?? 0), `${name} ${key} sinks`);
    }
    assert.equal(buckets.at(-1)?.value, counts[0]?.value, `${name} ${key}: all are counted`);
  }
}
