/** What a user may put into a link: the limits of the record, told before any work is done. */
import { AltNetError } from '../base/errors.ts';
import { isPlainText } from '../record/codec.ts';
import { mediaTypeBytesMax, noteBytesMax } from '../record/link.ts';
import { checkTarget } from './target.ts';
import type { Link } from './types.ts';

/** Throws BAD_URL for the target, BAD_ARGUMENT for the rest. */
export function checkLink({ target, sha256, size, type, captured, note }: Link): void {
  checkTarget(target);
  demand('sha256', 'it has 64 hexadecimal digits', sha256 === undefined || sha256.length === 32);
  demand('size', 'it is a number of bytes', isWhole(size, Number.MAX_SAFE_INTEGER));
  demand('captured', 'it is a time in unix seconds', isWhole(captured, 0xffff_ffff));
  demand('type', textRule(mediaTypeBytesMax), isText(type, mediaTypeBytesMax));
  demand('note', textRule(noteBytesMax), isText(note, noteBytesMax));
}

function demand(what: string, why: string, holds: boolean): void {
  if (!holds) throw new AltNetError('BAD_ARGUMENT', { what, why });
}

function isWhole(value: number | undefined, max: number): boolean {
  return value === undefined || (Number.isSafeInteger(value) && value >= 0 && value <= max);
}

function textRule(bytesMax: number): string {
  return `it has 1 to ${bytesMax} bytes and no control characters`;
}

function isText(value: string | undefined, bytesMax: number): boolean {
  return value === undefined || isPlainText(value, bytesMax);
}
