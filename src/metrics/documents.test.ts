/** The documents about the metrics say what is exported, no more and no less. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { processFamilies } from './families-process.ts';
import { nodeFamilies } from './metrics.ts';

const docs = path.join(import.meta.dirname, '../../docs');
const families = [...nodeFamilies, ...processFamilies];

/** What a line of the text form may be called: a family, or a series of a histogram. */
const series: ReadonlyMap<string, readonly string[]> = new Map(
  families.flatMap(({ name, type, labels }): [string, readonly string[]][] =>
    type === 'histogram'
      ? [
          [`${name}_bucket`, [...labels, 'le']],
          [`${name}_sum`, labels],
          [`${name}_count`, labels],
        ]
      : [[name, labels]],
  ),
);

interface Target {
  readonly expr: string;
  readonly legendFormat: string;
}

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly type: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number };
  readonly targets?: readonly Target[];
}

interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly definition?: string }[] };
}

const dashboard = JSON.parse(
  readFileSync(path.join(docs, 'grafana/altnet.json'), 'utf8'),
) as Dashboard;

/** The names of a query that could be metrics, each with the labels that it is asked by. */
function metricsOf(expr: string): { name: string; labels: string[] }[] {
  return [...expr.matchAll(/\b([a-z]+(?:_[a-z]+)+)\b(?:\{([^}]*)\})?/g)]
    .filter(([, name = '']) => !functions.has(name))
    .map(([, name = '', matchers = '']) => ({
      name,
      labels: [...matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label),
    }));
}

const functions: ReadonlySet<string> = new Set(['histogram_quantile', 'label_values']);

test('metrics.md lists each metric with its type, labels and meaning', () => {
  const text = readFileSync(path.join(docs, 'spec/metrics.md'), 'utf8');
  const rows = [...text.matchAll(/^\| `([a-z_]+)` +\| (\w+) +\| (.*?) +\| (.*?) +\|$/gm)]
    .filter(([, , type = '']) => /^(counter|gauge|histogram)$/.test(type))
    .map(([, name, type, labels, help]) => ({ name, type, labels: labels?.trim(), help }));
  const exported = families.map(({ name, type, labels, help }) => ({
    name,
    type,
    labels: labels.map((label) => `\`${label}\``).join(', '),
    help,
  }));
  assert.deepEqual(rows, exported);
});

test('each query of the dashboard asks for what is exported, by labels that it has', () => {
  const queries = dashboard.panels.flatMap(({ targets = [] }) => targets);
  assert.ok(queries.length > 30);
  for (const { expr, legendFormat } of queries) {
    const asked = metricsOf(expr);
    assert.ok(asked.length > 0, expr);
    const known = new Set(['instance']);
    for (const { name, labels } of asked) {
      const has = series.get(name);
      assert.ok(has, `${name} is not exported: ${expr}`);
      for (const label of labels) {
        assert.ok(label === 'instance' || has.includes(label), `${name} has no ${label}`);
      }
      for (const label of has) known.add(label);
    }
    const grouped = [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) =>
      list.split(',').map((label) => label.trim()),
    );
    const shown = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label);
    for (const label of [...grouped, ...shown]) assert.ok(known.has(label), `${label}: ${expr}`);
    const isCounter = asked.some(({ name }) => /_(total|bucket|sum|count)$/.test(name));
    assert.equal(/\b(rate|increase)\(/.test(expr), isCounter, `counters by rate: ${expr}`);
  }
});

test('every metric is on the dashboard', () => {
  const all = [
    ...dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
    ...dashboard.templating.list.map(({ definition = '' }) => definition),
  ].join('\n');
  const missing = families.filter(({ name }) => !new RegExp(`\\b${name}(_|\\b)`).test(all));
  assert.deepEqual(
    missing.map(({ name }) => name),
    [],
  );
});

test('panels have numbers and places of their own, within the width', () => {
  const ids = dashboard.panels.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
  const places = dashboard.panels.map(({ gridPos: { x, y } }) => `${x},${y}`);
  assert.equal(new Set(places).size, places.length);
  for (const { gridPos, title } of dashboard.panels) assert.ok(gridPos.x + gridPos.w <= 24, title);
});
