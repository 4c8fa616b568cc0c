/**
 * One line of the bench: a figure, the limit it was measured against in the same run, and the goal
 * that was set. It knows nothing of how anything is measured, and it hides nothing: a figure short
 * of its goal is printed like every other one, with the mark.
 */

export interface BenchRow {
  name: string;
  value: number;
  unit: string;
  /** What the machine can do at most, measured in the same run and in the same unit. */
  limit: { name: string; value: number };
  /** value ÷ limit.value. */
  share: number;
  /**
   * The share to reach; when `goalIsValue`, the value to reach, and when `lowerIsBetter`, the value
   * not to exceed, both in `unit`.
   */
  goal?: number;
  goalIsValue?: boolean;
  lowerIsBetter?: boolean;
}

/** Thrown by a bench that needs what this machine lacks; the message says what, in one line. */
export class NotRun extends Error {}

export type BenchInput = Omit<BenchRow, 'share'>;

/** A row with its share worked out. */
export function row(input: BenchInput): BenchRow {
  const { value, limit } = input;
  return { ...input, share: limit.value === 0 ? 0 : value / limit.value };
}

/** Undefined where no goal was set. */
export function reachesGoal(one: BenchRow): boolean | undefined {
  const { value, share, goal, goalIsValue, lowerIsBetter } = one;
  if (goal === undefined) return undefined;
  if (lowerIsBetter) return value <= goal;
  return (goalIsValue ? value : share) >= goal;
}

const headings = ['figure', 'measured', 'limit in this run', 'share', 'goal', ''] as const;

/** Aligned columns, one row a line, with a last column that says what fell short. */
export function formatRows(rows: readonly BenchRow[]): string {
  const cells = [[...headings], ...rows.map(formatCells)];
  const widths = headings.map((_, column) =>
    Math.max(...cells.map((line) => line[column]?.length ?? 0)),
  );
  return cells
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function formatCells(one: BenchRow): string[] {
  const { name, value, unit, limit, share } = one;
  return [
    name,
    `${formatNumber(value)} ${unit}`,
    `${formatNumber(limit.value)} ${unit} (${limit.name})`,
    formatShare(share),
    formatGoal(one),
    verdict(one),
  ];
}

function formatGoal({ goal, unit, goalIsValue, lowerIsBetter }: BenchRow): string {
  if (goal === undefined) return '-';
  if (lowerIsBetter) return `<= ${formatNumber(goal)} ${unit}`;
  return `>= ${goalIsValue ? `${formatNumber(goal)} ${unit}` : formatShare(goal)}`;
}

function verdict(one: BenchRow): string {
  const reached = reachesGoal(one);
  if (reached === undefined) return '';
  return reached ? 'ok' : 'SHORT OF THE GOAL';
}

function formatShare(share: number): string {
  return `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;
}

/** Three significant digits, thousands set apart: 12,300 or 1.23. */
function formatNumber(value: number): string {
  return value.toLocaleString('en-US', { maximumSignificantDigits: 3 });
}
