/** Which bytes of a file somebody wants, and what of the file lies in them. */

/** Bytes `from` to `to`, exclusive; `to` is Infinity where the end of the file is not known. */
export interface ByteRange {
  readonly from: number;
  readonly to: number;
}

/** Whether `size` bytes from `start` on have anything in common with the range. */
export function overlaps(
  { start, size }: { readonly start: number; readonly size: number },
  { from, to }: ByteRange,
): boolean {
  return size > 0 && start < to && start + size > from;
}

/** The range as counted from `start`, for whoever knows only what begins there. */
export function rangeFrom({ from, to }: ByteRange, start: number): ByteRange {
  return { from: Math.max(from - start, 0), to: to - start };
}

/** Undefined for a range that leaves nothing out: then empty parts belong to it as well. */
export function properRange(range: ByteRange | undefined): ByteRange | undefined {
  return range && (range.from > 0 || range.to < Infinity) ? range : undefined;
}
