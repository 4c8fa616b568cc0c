/**
 * A site's count in octets, as it is kept across restarts (docs/spec/stats.md, "On the disk").
 * Whatever is read is checked: a file may be damaged. Pure.
 *
 *   1  form, 1        8  requests, bytes,     each day:   4  day
 *   1  days           8  visitors, last seen             8  requests, bytes, visitors
 *   2  octets of the sketch, 0 for none       then the sketch of the last day
 */
import type { Bytes } from '../base/bytes.ts';
import { type DayCount, daysMax, type SiteCountState } from './site-count.ts';
import { sketchBytesMax, VisitorSketch } from './visitor-sketch.ts';

const form = 1;
const headBytes = 36;
const dayBytes = 28;
const countsAt = 4;

export function encodeSiteCount({ totals, days, sketch }: SiteCountState): Bytes {
  const sketched = sketch?.encode() ?? new Uint8Array(0);
  const octets = new Uint8Array(headBytes + days.length * dayBytes + sketched.length);
  const view = new DataView(octets.buffer);
  view.setUint8(0, form);
  view.setUint8(1, days.length);
  view.setUint16(2, sketched.length);
  const sums = [totals.requests, totals.bytes, totals.visitors, totals.lastSeen];
  for (const [i, sum] of sums.entries()) view.setFloat64(countsAt + 8 * i, sum);
  for (const [i, { day, requests, bytes, visitors }] of days.entries()) {
    const at = headBytes + i * dayBytes;
    view.setUint32(at, day);
    for (const [j, count] of [requests, bytes, visitors].entries()) {
      view.setFloat64(at + 4 + 8 * j, count);
    }
  }
  octets.set(sketched, headBytes + days.length * dayBytes);
  return octets;
}

/** Undefined for octets that `encodeSiteCount` did not write. */
export function decodeSiteCount(octets: Bytes): SiteCountState | undefined {
  if (octets.length < headBytes) return undefined;
  const view = new DataView(octets.buffer, octets.byteOffset, octets.length);
  const [dayCount, sketchLength] = [view.getUint8(1), view.getUint16(2)];
  const sketchAt = headBytes + dayCount * dayBytes;
  const isWhole = octets.length === sketchAt + sketchLength && sketchLength <= sketchBytesMax;
  if (view.getUint8(0) !== form || dayCount > daysMax || !isWhole) return undefined;
  const days = Array.from({ length: dayCount }, (_, i) => dayAt(view, headBytes + i * dayBytes));
  const [requests = 0, bytes = 0, visitors = 0, lastSeen = 0] = countsOf(view, countsAt, 4);
  const totals = { requests, bytes, visitors, lastSeen };
  const areCounts = [totals, ...days].every((sums) => Object.values(sums).every(isCount));
  if (!areCounts || (sketchLength > 0 && dayCount === 0)) return undefined;
  if (sketchLength === 0) return { totals, days, sketch: undefined };
  const sketch = VisitorSketch.decode(octets.subarray(sketchAt));
  return sketch && { totals, days, sketch };
}

function dayAt(view: DataView, at: number): DayCount {
  const [requests = 0, bytes = 0, visitors = 0] = countsOf(view, at + 4, 3);
  return { day: view.getUint32(at), requests, bytes, visitors };
}

function countsOf(view: DataView, at: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => view.getFloat64(at + 8 * i));
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
