/** The few shapes that drawings of simulations are made of, as SVG text. Knows nothing of them. */

/** Where curves are drawn: the axes stand outside. */
export interface Panel {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Axis {
  readonly from: number;
  readonly to: number;
  /** '%' shows shares as such; anything else stands behind the number. */
  readonly unit: string;
  readonly label: string;
  /** Parts that it is divided into; 5 when left out. */
  readonly parts?: number;
}

type Point = readonly [number, number];

const ink = '#1b2430';
const faint = '#5b6472';
const grid = '#e6e9ee';
const partsDefault = 5;

export function text(
  content: string,
  {
    x,
    y,
    size = 13,
    weight = 400,
    colour = ink,
    anchor = 'start',
  }: {
    x: number;
    y: number;
    size?: number;
    weight?: number;
    colour?: string;
    anchor?: 'start' | 'middle' | 'end';
  },
): string {
  const style = `font-size="${size}" font-weight="${weight}" fill="${colour}" text-anchor="${anchor}"`;
  return `<text x="${coordinate(x)}" y="${coordinate(y)}" ${style}>${escaped(content)}</text>`;
}

/** The title over a panel. */
export function frame({ x, y }: Panel, title: string): string {
  return text(title, { x: x - 48, y: y - 22, size: 15, weight: 600 });
}

/** Grid and numbers. */
export function axes(panel: Panel, x: Axis, y: Axis): string {
  const right = panel.x + panel.width;
  const bottom = panel.y + panel.height;
  const lines: string[] = [];
  for (const part of partsOf(y)) {
    const down = bottom - part * panel.height;
    const number = { x: panel.x - 10, y: down + 4, colour: faint, anchor: 'end' } as const;
    lines.push(
      line([panel.x, down], [right, down], part === 0 ? faint : grid),
      text(valueAt(y, part), number),
    );
  }
  for (const part of partsOf(x)) {
    const across = panel.x + part * panel.width;
    lines.push(
      text(valueAt(x, part), { x: across, y: bottom + 22, colour: faint, anchor: 'middle' }),
    );
  }
  if (y.label !== '') {
    lines.push(text(y.label, { x: panel.x, y: panel.y - 6, colour: faint, size: 12 }));
  }
  return lines.join('\n');
}

/** From 0 to 1. */
function partsOf({ parts = partsDefault }: Axis): readonly number[] {
  return Array.from({ length: parts + 1 }, (_, i) => i / parts);
}

/** A curve through points in the units of the axes, or the area within them. */
export function path(
  points: readonly Point[],
  {
    panel,
    x,
    y,
    colour,
    filled = false,
    dashed = false,
  }: { panel: Panel; x: Axis; y: Axis; colour: string; filled?: boolean; dashed?: boolean },
): string {
  const at = ([px, py]: Point): string => {
    const across = panel.x + shareOf(px, x) * panel.width;
    const down = panel.y + (1 - shareOf(py, y)) * panel.height;
    return `${coordinate(across)} ${coordinate(down)}`;
  };
  const d = `M${points.map(at).join('L')}${filled ? 'Z' : ''}`;
  const dash = dashed ? ' stroke-dasharray="5 4"' : '';
  const paint = filled
    ? `fill="${colour}"`
    : `fill="none" stroke="${colour}" stroke-width="2.2" stroke-linejoin="round"${dash}`;
  return `<path d="${d}" ${paint}/>`;
}

export interface LegendRow {
  readonly colour: string;
  readonly label: string;
  /** In columns behind the label. */
  readonly notes: readonly string[];
}

export function legend(
  rows: readonly LegendRow[],
  { x, y, head }: { x: number; y: number; head: readonly string[] },
): string {
  const columns = [x + 268, x + 340];
  const behind =
    head.length > 0
      ? []
      : [box({ x: x - 8, y: y - 6, width: legendWidth(rows), height: rows.length * 24 + 8 })];
  const titles = head.map((title, i) =>
    text(title, { x: columns[i] ?? x, y: y - 12, size: 12, colour: faint, anchor: 'end' }),
  );
  const lines = [...behind, ...titles];
  for (const [i, { colour, label, notes }] of rows.entries()) {
    const down = y + 14 + i * 24;
    lines.push(
      `<rect x="${x}" y="${down - 10}" width="14" height="10" rx="3" fill="${colour}"/>`,
      text(label, { x: x + 22, y: down }),
      ...notes.map((note, at) => text(note, { x: columns[at] ?? x, y: down, anchor: 'end' })),
    );
  }
  return lines.join('\n');
}

/** Roughly: the width of letters is not known here. */
function legendWidth(rows: readonly LegendRow[]): number {
  return 42 + 7.2 * Math.max(...rows.map(({ label }) => label.length));
}

/** Keeps a legend readable above what is drawn. */
function box({ x, y, width, height }: Panel): string {
  const size = `width="${coordinate(width)}" height="${coordinate(height)}"`;
  return `<rect x="${coordinate(x)}" y="${coordinate(y)}" ${size} rx="6" fill="#ffffffd9"/>`;
}

function line([x1, y1]: Point, [x2, y2]: Point, colour: string): string {
  const ends = `x1="${coordinate(x1)}" y1="${coordinate(y1)}" x2="${coordinate(x2)}" y2="${coordinate(y2)}"`;
  return `<line ${ends} stroke="${colour}"/>`;
}

function shareOf(value: number, { from, to }: Axis): number {
  return Math.min(1, Math.max(0, (value - from) / (to - from)));
}

function valueAt({ from, to, unit }: Axis, at: number): string {
  const value = from + at * (to - from);
  if (unit === '%') return `${Number((value * 100).toFixed(2))} %`;
  return `${Number(value.toFixed(2)).toLocaleString('en-US')}${unit}`;
}

function coordinate(value: number): string {
  return value.toFixed(1);
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
