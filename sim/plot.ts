/**
 * A long simulation drawn as SVG, by hand: how long look-ups take, how many succeed and what goes
 * over the wire, hour by hour.
 */
import type { Method } from '../src/dht/ports.ts';
import { type LongRunResult, type Stretch, trafficOf } from './long-run.ts';
import { grouped, percent, summariesOf } from './report.ts';
import type { Sample } from './sampling.ts';
import { type Axis, axes, frame, legend, type Panel, path, text } from './svg.ts';
import { totalTraffic } from './traffic.ts';

const width = 1120;
const height = 900;
const colours = ['#2f6fed', '#7a4fd0', '#0f9f8f', '#8a8f98', '#e4812a', '#c2410c'] as const;

const methodColours: Readonly<Record<Method, string>> = {
  ping: '#9db7f0',
  find: '#2f6fed',
  get: '#0f9f8f',
  store: '#e4812a',
  sync: '#7a4fd0',
  announce: '#b8327a',
  reach: '#8a8f98',
  leave: '#c2410c',
};

export function drawingOf(result: LongRunResult): string {
  const { settings } = result;
  const title = `${grouped(settings.nodes)} nodes for ${settings.hours} hours`;
  const subtitle =
    `${percent(settings.churn)} of the nodes replaced per day, ${percent(settings.dead)} cut off · ` +
    `${settings.rttMs} ms median round trip · ${settings.records} records per node · ${percent(settings.loss)} loss · seed ${settings.seed}`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" `,
    `font-family="system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif" font-size="13">`,
    `<rect width="${width}" height="${height}" rx="12" fill="#ffffff"/>`,
    text(title, { x: 40, y: 48, size: 22, weight: 600 }),
    text(subtitle, { x: 40, y: 72, colour: '#5b6472' }),
    latencies(result, { x: 88, y: 140, width: 620, height: 300 }),
    successes(result, { x: 88, y: 540, width: 420, height: 280 }),
    traffic(result, { x: 620, y: 540, width: 440, height: 280 }),
    '</svg>',
    '',
  ].join('\n');
}

/** The share of look-ups that are done within so long. */
function latencies(result: LongRunResult, panel: Panel): string {
  const summaries = summariesOf(result);
  const slowest = Math.max(...summaries.map(({ p99Ms }) => p99Ms ?? 0));
  const x: Axis = { from: 0, to: niceAbove(slowest), unit: ' ms', label: 'time' };
  const y: Axis = { from: 0, to: 1, unit: '%', label: 'share of look-ups that are done' };
  const curves = summaries.map(({ kind }, i) => {
    const times = sorted(result.samples.filter((sample) => sample.kind === kind));
    const points = times.map((ms, at) => [ms, (at + 1) / times.length] as const);
    const shown = thinned(points).filter(([ms]) => ms <= x.to);
    return path([[shown[0]?.[0] ?? 0, 0], ...shown], { panel, x, y, colour: colourOf(i) });
  });
  const rows = summaries.map(({ kind, p50Ms, p95Ms, success }, i) => ({
    colour: colourOf(i),
    label: kind,
    notes: [`${round(p50Ms)} / ${round(p95Ms)} ms`, percent(success)],
  }));
  return [
    frame(panel, 'How long look-ups take'),
    axes(panel, x, y),
    ...curves,
    legend(rows, { x: panel.x + panel.width + 40, y: panel.y + 6, head: ['p50 / p95', 'success'] }),
  ].join('\n');
}

/** The share of look-ups that succeeded, stretch by stretch, and the records that were there. */
function successes(result: LongRunResult, panel: Panel): string {
  const { samples, stretches, settings } = result;
  const bins = Math.min(24, stretches.length);
  const beganMs = result.settledHours * hourMs;
  const shares = Array.from({ length: bins }, (_, i) => {
    const [from, to] = [i, i + 1].map((at) => beganMs + (at / bins) * settings.hours * hourMs);
    const own = samples.filter(({ atMs }) => atMs >= (from ?? 0) && atMs < (to ?? 0));
    const done = own.filter(({ ms }) => ms !== undefined).length;
    return own.length === 0 ? 1 : done / own.length;
  });
  const kept = stretches.map(({ records, lost }) => (records === 0 ? 1 : 1 - lost / records));
  const least = Math.min(...shares, ...kept);
  const x = hoursAxis(settings.hours);
  const y: Axis = { from: least > 0.99 ? 0.99 : niceBelow(least), to: 1, unit: '%', label: '' };
  const stepped = shares.map((share, i) => [((i + 0.5) / bins) * settings.hours, share] as const);
  const keptLine = stretches.map(({ hours }, i) => [hours, kept[i] ?? 1] as const);
  const rows = [
    { colour: '#0f9f8f', label: 'look-ups that succeeded', notes: [] },
    { colour: '#c2410c', label: 'records that somebody holds', notes: [] },
  ];
  return [
    frame(panel, 'What is found'),
    axes(panel, x, y),
    path(keptLine, { panel, x, y, colour: '#c2410c', dashed: true }),
    path(stepped, { panel, x, y, colour: '#0f9f8f' }),
    legend(rows, { x: panel.x + 16, y: panel.y + panel.height - 64, head: [] }),
  ].join('\n');
}

/** Octets per node and second, stacked by what was asked. */
function traffic(result: LongRunResult, panel: Panel): string {
  const { stretches, settings } = result;
  const methods = Object.keys(methodColours) as Method[];
  const measured = stretches.map((stretch, i) => ratesOf(stretch, stretches[i - 1]?.hours ?? 0));
  const rates = measured.flatMap((rate, i) => (i === 0 ? [rate, rate] : [rate]));
  const hours = [0, ...stretches.map((stretch) => stretch.hours)];
  const highest = Math.max(...rates.map((rate) => methods.reduce((sum, m) => sum + rate[m], 0)));
  const x = hoursAxis(settings.hours);
  const y: Axis = { from: 0, to: niceAbove(highest), unit: ' B/s', label: '' };
  const below = rates.map(() => 0);
  const areas = methods.map((method) => {
    const bottom = [...below];
    for (const [i, rate] of rates.entries()) below[i] = (below[i] ?? 0) + rate[method];
    const outline = [...along(hours, below), ...along(hours, bottom).toReversed()];
    return path(outline, { panel, x, y, colour: methodColours[method], filled: true });
  });
  const used = methods.filter((method) => rates.some((rate) => rate[method] > 0));
  const rows = used.map((method) => ({
    colour: methodColours[method],
    label: method.toUpperCase(),
    notes: [],
  }));
  const { bytesPerNodeSecond } = trafficOf(result);
  return [
    frame(panel, `Traffic per node: ${bytesPerNodeSecond.toFixed(0)} B/s on average`),
    axes(panel, x, y),
    ...areas,
    legend(rows, { x: panel.x + panel.width - 78, y: panel.y + 10, head: [] }),
  ].join('\n');
}

const hourMs = 3_600_000;

/** Divided so that the numbers are round. */
function hoursAxis(hours: number): Axis {
  const parts = [6, 4, 5, 3].find((count) => Number.isInteger(hours / count)) ?? 4;
  return { from: 0, to: hours, unit: ' h', label: '', parts };
}

function along(
  hours: readonly number[],
  heights: readonly number[],
): readonly (readonly [number, number])[] {
  return hours.map((at, i) => [at, heights[i] ?? 0]);
}

function ratesOf(
  { hours, nodes, traffic: counts }: Stretch,
  beforeHours: number,
): Readonly<Record<Method, number>> {
  const nodeSeconds = nodes * (hours - beforeHours) * 3600;
  const rate = (method: Method): number =>
    totalTraffic(counts).bytes === 0 ? 0 : counts[method].bytes / nodeSeconds;
  return {
    ping: rate('ping'),
    find: rate('find'),
    get: rate('get'),
    store: rate('store'),
    sync: rate('sync'),
    announce: rate('announce'),
    reach: rate('reach'),
    leave: rate('leave'),
  };
}

function sorted(samples: readonly Sample[]): number[] {
  return samples
    .map(({ ms }) => ms)
    .filter((ms) => ms !== undefined)
    .toSorted((a, b) => a - b);
}

/** At most 400 of many points: more cannot be seen. */
function thinned<T>(points: readonly T[]): readonly T[] {
  const step = Math.max(1, Math.ceil(points.length / 400));
  return points.filter((_, i) => i % step === 0 || i === points.length - 1);
}

function colourOf(index: number): string {
  return colours[index % colours.length] ?? '#000000';
}

function round(ms: number | undefined): string {
  return ms === undefined ? '–' : ms.toFixed(0);
}

/** 1, 2 or 5 times a power of ten, at least `value`. */
function niceAbove(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return power * ([1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((times) => times * power >= value) ?? 10);
}

/** A round share below `value`, so that what differs from 1 is seen. */
function niceBelow(value: number): number {
  return Math.max(0, Math.floor(value * 20 - 0.2) / 20);
}
