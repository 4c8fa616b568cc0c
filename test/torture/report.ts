/** What came of a run, for a terminal and for docs/RELIABILITY.md. */
import { readFileSync, writeFileSync } from 'node:fs';
import { quantile } from '../../sim/statistics.ts';
import type { Size } from './scenario.ts';
import type { Ended } from './session.ts';
import { sumOf } from './tally.ts';

const head = [
  'scenario',
  'faults',
  'acknowledged',
  'checks',
  'losses',
  'accounting errors',
  'other failures',
  'recovery p50',
  'recovery max',
] as const;

function cellsOf({ scenario, tally }: Ended): string[] {
  if (tally.skipped !== undefined) return [scenario.name, ...head.slice(1).map(() => '–')];
  const { recoveriesMs } = tally;
  return [
    scenario.name,
    String(sumOf(tally.faults)),
    String(sumOf(tally.acknowledgements)),
    String(tally.checks),
    String(tally.count('loss')),
    String(tally.count('accounting')),
    String(tally.count('failure')),
    shownMs(quantile(recoveriesMs, 0.5)),
    shownMs(recoveriesMs.length > 0 ? Math.max(...recoveriesMs) : undefined),
  ];
}

function shownMs(ms: number | undefined): string {
  return ms === undefined ? '–' : `${(ms / 1000).toFixed(2)} s`;
}

/** For a terminal: the table, then each finding with what is needed to see it again. */
export function tableOf(ended: readonly Ended[], seed: number): string {
  const rows = [[...head], ...ended.map(cellsOf)];
  const widths = widthsOf(rows, 0);
  const lines = rows.map((row) => aligned(row, widths).join('  '));
  for (const { scenario, tally, folder } of ended) {
    if (tally.skipped !== undefined) lines.push(`${scenario.name} not run: ${tally.skipped}`);
    if (tally.seen.size > 0) lines.push(`${scenario.name}, at most: ${listOf(tally.seen)}`);
    lines.push(...tally.notes.map((note) => `${scenario.name}: ${note}`));
    for (const { kind, where, what } of tally.findings) {
      lines.push('', `${kind} in ${scenario.name}, ${where} (seed ${seed}): ${what}`);
    }
    if (folder !== undefined) lines.push(`  its folders are kept in ${folder}`);
  }
  return `${lines.join('\n')}\n`;
}

/** As the formatter wants it: columns aligned, numbers at their right. */
function markdownTable(rows: readonly (readonly string[])[]): string[] {
  const widths = widthsOf(rows, 3);
  const rule = widths.map((width, i) =>
    i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  const [first = [], ...rest] = rows.map((row) => aligned(row, widths));
  return [first, rule, ...rest].map((cells) => `| ${cells.join(' | ')} |`);
}

function widthsOf(rows: readonly (readonly string[])[], least: number): number[] {
  return head.map((_, i) => Math.max(least, ...rows.map((row) => (row[i] ?? '').length)));
}

function aligned(row: readonly string[], widths: readonly number[]): string[] {
  return widths.map((width, i) => {
    const cell = row[i] ?? '';
    return i === 0 ? cell.padEnd(width) : cell.padStart(width);
  });
}

function listOf(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([what, count]) => `${count} × ${what}`).join(', ');
}

function paragraphOf({ scenario, tally, seconds }: Ended): string {
  const begin = `**${scenario.name}**: ${scenario.title}`;
  if (tally.skipped !== undefined) return `${begin}. Not run: ${tally.skipped}.`;
  const sentences = [
    `${begin}, in ${seconds.toFixed(0)} s`,
    `Faults: ${listOf(tally.faults)}`,
    `Acknowledged: ${listOf(tally.acknowledgements)}`,
    ...(tally.seen.size > 0 ? [`At most: ${listOf(tally.seen)}`] : []),
    ...tally.notes,
    ...tally.findings.map(({ kind, where }) => `Found: ${kind}, ${where}`),
  ];
  return `${sentences.join('. ')}.`;
}

export function markdownOf(
  ended: readonly Ended[],
  { seed, size }: { readonly seed: number; readonly size: Size },
): string {
  const lines = [
    `Seed ${seed}, ${size.kills} kills on ${size.lanes} nodes at once, networks of ${size.nodes} nodes.`,
    '',
    ...markdownTable([[...head], ...ended.map(cellsOf)]),
    '',
  ];
  for (const one of ended) lines.push(paragraphOf(one), '');
  return lines.slice(0, -1).join('\n');
}

const [begin, end] = ['<!-- begin results -->', '<!-- end results -->'];

/** Throws a TypeError when the file has no place for it. */
export function writeReport(
  file: string,
  ended: readonly Ended[],
  how: { readonly seed: number; readonly size: Size },
): void {
  const text = readFileSync(file, 'utf8');
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from)
    throw new TypeError(`${file} has no place between ${begin} and ${end}`);
  const before = text.slice(0, from + begin.length);
  writeFileSync(file, `${before}\n\n${markdownOf(ended, how)}\n\n${text.slice(to)}`);
}
