/**
 * Zone files: the names below a name that are too many for its record (docs/spec/names.md, "Zone
 * files"). A JSON object, so that people and scripts can write it. Pure.
 */
import { CID } from 'multiformats/cid';
import { type Bytes, parseUtf8 } from '../base/bytes.ts';
import { isSubLabel } from '../record/label.ts';
import { isRoot } from '../record/root.ts';

export const zoneFileBytesMax = 262_144;

/** Label to root. */
export type ZoneFile = ReadonlyMap<string, CID>;

/** Undefined for what is no zone file; one bad line spoils it, lest half of it seem gone. */
export function parseZoneFile(bytes: Bytes): ZoneFile | undefined {
  if (bytes.length > zoneFileBytesMax) return undefined;
  const entries = parseObject(parseUtf8(bytes));
  if (!entries) return undefined;
  const roots = new Map<string, CID>(); // BOUNDED by zoneFileBytesMax
  for (const [label, text] of entries) {
    const root = parseRootText(text);
    if (!isSubLabel(label) || !root) return undefined;
    roots.set(label, root);
  }
  return roots;
}

function parseObject(text: string | undefined): [string, unknown][] | undefined {
  try {
    const value: unknown = JSON.parse(text ?? '');
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? Object.entries(value) : undefined;
  } catch {
    return undefined;
  }
}

function parseRootText(text: unknown): CID | undefined {
  if (typeof text !== 'string' || text.length > 128) return undefined;
  try {
    const cid = CID.parse(text);
    return isRoot(cid) ? cid : undefined;
  } catch {
    return undefined;
  }
}
