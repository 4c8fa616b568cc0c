/** Which encoding an HTML page says it is in. Pure. */
import { asBuffer, type Bytes } from '../base/bytes.ts';

/** Where HTML wants it to stand. */
export const declarationBytesMax = 1024;

/**
 * Whether the beginning of a page names another encoding than UTF-8. A charset in the header would
 * outweigh what the page says, and turn an old page into garbage.
 */
export function declaresOtherCharset(beginning: Bytes): boolean {
  const bytes = asBuffer(beginning.subarray(0, declarationBytesMax));
  const mark = bytes.subarray(0, 2).toString('hex');
  if (mark === 'feff' || mark === 'fffe') return true;
  const meta = /<meta[^>]*?\bcharset\s*=\s*["']?\s*([\w.:-]+)/i.exec(bytes.toString('latin1'));
  return meta !== null && !/^utf-?8$/i.test(meta[1] ?? '');
}
