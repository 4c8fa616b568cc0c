/**
 * What a link may point to. Publishers and readers apply the same rule, so that nobody is handed
 * something that would run, or read a local file, when it is clicked.
 */
import { AltNetError } from '../base/errors.ts';
import { isPlainText } from '../record/codec.ts';
import { targetBytesMax } from '../record/link.ts';

const refusedSchemes: ReadonlySet<string> = new Set(['javascript', 'vbscript', 'data', 'file']);

/** What is wrong with a target, or undefined. */
export function targetFlaw(target: string): string | undefined {
  if (!isPlainText(target, targetBytesMax)) {
    return `a target is 1 to ${targetBytesMax} bytes without control characters`;
  }
  // Spaces would break lines of output, direction marks would show something else than is opened.
  if (/[\s\p{Bidi_Control}]/u.test(target)) return 'a target contains no spaces or direction marks';
  const scheme = /^([a-z][a-z0-9+.-]*):./i.exec(target)?.[1]?.toLowerCase();
  if (scheme === undefined) return 'a target begins with a scheme, like https: or magnet:';
  return refusedSchemes.has(scheme) ? `${scheme}: targets are not allowed` : undefined;
}

/** Throws BAD_URL for what no link may point to. */
export function checkTarget(target: string): void {
  const why = targetFlaw(target);
  if (why === undefined) return;
  const text = target.length > 100 ? `${target.slice(0, 99)}…` : target;
  throw new AltNetError('BAD_URL', { text, why });
}
