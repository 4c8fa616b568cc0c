/**
 * The line that shows how far long work has come: a bar, how much, how fast and how long still, as
 * much of it as fits. It draws nothing itself (tui.ts does) and is given the time.
 */
import type { CallOptions } from '../api/ports.ts';
import { formatBytes } from '../base/byte-count.ts';
import { Estimate } from './estimate.ts';
import { countOf } from './format.ts';

export type Progress = Parameters<NonNullable<CallOptions['onProgress']>>[0];

const barWidth = 24;
const barWidthSmall = 10;

/** One for each piece of work: it remembers how fast that goes. */
export class ProgressLine {
  readonly #label: string;
  #phase: Progress['phase'];
  #estimate = new Estimate();

  /** `label`: what is being done, such as "fetching"; a phase says it more exactly. */
  constructor(label: string) {
    this.#label = label;
  }

  /** At most `width` characters. */
  text(progress: Progress, { nowMs, width }: { nowMs: number; width: number }): string {
    const { phase, bytes, bytesTotal, work } = progress;
    if (phase !== this.#phase) {
      this.#phase = phase;
      this.#estimate = new Estimate();
    }
    const label = phase ?? this.#label;
    if (work) return formatWork(label, work).slice(0, width);
    this.#estimate.add({ nowMs, bytes, ...(bytesTotal !== undefined && { bytesTotal }) });
    const { bytesPerSecond, secondsLeft } = this.#estimate;
    const rate = bytesPerSecond === undefined ? undefined : `${formatBytes(bytesPerSecond)}/s`;
    const left = secondsLeft === undefined ? undefined : `${formatLeft(secondsLeft)} left`;
    return fitting(layouts(label, { ...progress, rate, left }), width);
  }
}

function formatWork(
  label: string,
  { tried, triesExpected }: NonNullable<Progress['work']>,
): string {
  const percent = Math.round((100 * tried) / triesExpected);
  return `${label}: proof of work, ${percent} % of the usual number of tries`;
}

interface Shown extends Progress {
  readonly rate: string | undefined;
  readonly left: string | undefined;
}

/** From the widest to the narrowest: what matters least goes first. */
function layouts(label: string, shown: Shown): string[] {
  const { bytes, bytesTotal, files, peers, rate, left } = shown;
  const amount = formatBytes(bytes);
  const file = files > 0 ? countOf(files, 'file') : undefined;
  const peer = peers > 0 ? countOf(peers, 'peer') : undefined;
  if (bytesTotal === undefined) {
    return [[amount, file, peer, rate], [amount, peer, rate], [amount, peer], [amount]].map(
      (parts) => `${label} ${joined(parts)}`,
    );
  }
  const of = `${amount} of ${formatBytes(bytesTotal)}`;
  const share = bytesTotal === 0 ? 1 : Math.min(1, bytes / bytesTotal);
  const percent = `${Math.floor(share * 100)} %`;
  const row = (width: number, parts: readonly (string | undefined)[]): string =>
    `${label} ${bar(share, width)} ${percent.padStart(5)}  ${joined(parts)}`.trimEnd();
  return [
    row(barWidth, [of, file, peer, rate, left]),
    row(barWidthSmall, [of, file, peer, rate, left]),
    row(barWidthSmall, [of, peer, rate, left]),
    row(barWidthSmall, [of, rate, left]),
    row(barWidthSmall, [of, left]),
    row(barWidthSmall, [left]),
    `${label} ${joined([percent, left])}`,
    `${label} ${percent}`,
    percent,
  ];
}

function bar(share: number, width: number): string {
  const full = Math.floor(share * width);
  return `[${'#'.repeat(full)}${'-'.repeat(width - full)}]`;
}

function joined(parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined).join(', ');
}

function fitting(lines: readonly string[], width: number): string {
  return lines.find((line) => line.length <= width) ?? (lines.at(-1) ?? '').slice(0, width);
}

/** "3 s", "45 s", "2 min", "3 h 20 min": no more exact than a guess is, so that it seldom changes. */
export function formatLeft(seconds: number): string {
  if (seconds < 9.5) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 57.5) return `${5 * Math.round(seconds / 5)} s`;
  const minutes = Math.max(1, Math.round(seconds / 60));
  if (minutes < 60) return `${minutes} min`;
  const coarse = 10 * Math.round(minutes / 10);
  const [hours, rest] = [Math.floor(coarse / 60), coarse % 60];
  if (hours >= 48) return `${Math.round(hours / 24)} days`;
  return rest === 0 ? `${hours} h` : `${hours} h ${rest} min`;
}
