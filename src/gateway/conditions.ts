/**
 * What the conditions and the range of a request ask of a body (RFC 9110, §13 and §14). Pure.
 */

export type Wanted =
  | { readonly kind: 'whole' }
  /** If-None-Match names what the body still is. */
  | { readonly kind: 'unchanged' }
  /** Bytes `from` to `to` exclusive; never empty. */
  | { readonly kind: 'part'; readonly from: number; readonly to: number }
  | { readonly kind: 'unsatisfiable' };

export interface Conditions {
  readonly ifNoneMatch: string | undefined;
  readonly range: string | undefined;
  readonly ifRange: string | undefined;
}

const whole: Wanted = { kind: 'whole' };

/** `etag` is quoted, and weak with W/ before it; `size` in bytes. */
export function judge(
  { ifNoneMatch, range, ifRange }: Conditions,
  { etag, size }: { readonly etag: string; readonly size: number },
): Wanted {
  if (ifNoneMatch !== undefined && matchesAny(ifNoneMatch, etag)) return { kind: 'unchanged' };
  if (range === undefined) return whole;
  // A date, a weak tag or another body's: the client's part is of something else.
  if (ifRange !== undefined && (ifRange.trim() !== etag || etag.startsWith('W/'))) return whole;
  return parseRange(range, size);
}

/** Whether a list of entity tags, or "*", names `etag`. Tags compare weakly. */
export function matchesAny(list: string, etag: string): boolean {
  if (list === etag) return true;
  if (list.trim() === '*') return true;
  const opaque = etag.replace(/^W\//, '');
  for (const [, tag] of list.matchAll(/(?:W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g)) {
    if (tag === opaque) return true;
  }
  return false;
}

/**
 * What a range is likely to need of a body whose size nobody knows yet. Undefined for the end of a
 * body, and for what `parseRange` takes as the whole.
 */
export function guessRange(
  text: string | undefined,
): { readonly from: number; readonly to: number } | undefined {
  if (text === undefined || /^bytes=[ \t]*-/i.test(text)) return undefined;
  const wanted = parseRange(text, Number.MAX_SAFE_INTEGER);
  return wanted.kind === 'part' ? { from: wanted.from, to: wanted.to } : undefined;
}

/**
 * One range of bytes. Several ranges, other units and what cannot be read give the whole, as the
 * standard allows: parts in one answer cost more than they are worth here.
 */
export function parseRange(text: string, size: number): Wanted {
  const match = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(text);
  const [, first = '', last = ''] = match ?? [];
  if (first === '' && last === '') return whole;
  if (first === '') {
    const length = Math.min(Number(last), size);
    return length === 0
      ? { kind: 'unsatisfiable' }
      : { kind: 'part', from: size - length, to: size };
  }
  const from = Number(first);
  const to = last === '' ? size : Math.min(Number(last) + 1, size);
  if (last !== '' && Number(last) < from) return whole; // not a range at all
  return from >= size ? { kind: 'unsatisfiable' } : { kind: 'part', from, to };
}
