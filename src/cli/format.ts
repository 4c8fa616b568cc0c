/** Numbers, times and tables as people read them, and text from others made harmless. Pure. */
import { sanitize } from '../base/plain-text.ts';

export { sanitize };

/** Like `sanitize`, but keeps line ends and tabs. */
export function sanitizeLines(text: string): string {
  return text
    .split(/\r?\n/)
    .map((line) => line.split('\t').map(sanitize).join('\t'))
    .join('\n');
}

/** One line of JSON in which no string holds an unsafe character; it parses to the same value. */
export function toJsonLine(value: unknown): string {
  return sanitize(JSON.stringify(value));
}

/** "1 node", "5 nodes"; `many` where an s does not do. */
export function countOf(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** "0.2 s", "45 s", "3 min 20 s", "5 h 12 min", "3 d 4 h". */
export function formatSeconds(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const total = Math.round(seconds);
  if (total < 60) return `${total} s`;
  if (total < 3600) return `${Math.floor(total / 60)} min ${total % 60} s`;
  if (total < 86_400) return `${Math.floor(total / 3600)} h ${Math.floor((total % 3600) / 60)} min`;
  return `${Math.floor(total / 86_400)} d ${Math.floor((total % 86_400) / 3600)} h`;
}

/** "2026-11-20 14:05 UTC"; a number out of the calendar's range as it is. */
export function formatMoment(unixSeconds: number): string {
  const date = new Date(unixSeconds * 1000);
  if (Number.isNaN(date.getTime())) return String(unixSeconds);
  return `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** "label   value" lines with the values below each other. Fields without a value are left out. */
export function formatFields(
  fields: readonly (readonly [label: string, value: string | number | undefined])[],
): string[] {
  const given = fields.filter(([, value]) => value !== undefined);
  const width = Math.max(0, ...given.map(([label]) => label.length));
  return given.map(([label, value]) => `${label.padEnd(width)}  ${sanitize(String(value))}`);
}

/** Columns below each other, two spaces between; the last column is not padded. */
export function formatTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string[] {
  const safe = [head, ...rows.map((row) => row.map(sanitize))];
  const widths = head.map((_, column) => Math.max(...safe.map((row) => row[column]?.length ?? 0)));
  return safe.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** Of an own name that does not open at this node. */
export function elsewhereLine(name: string): string {
  return `${sanitize(name)} does not open at this node, which trusts other registrars; it opens where its zone is trusted`;
}

/** What the state `new` means for who holds the name and who opens it. */
export const newNameLine: string =
  'held since a moment ago; others confirm it within about an hour; it opens already';
