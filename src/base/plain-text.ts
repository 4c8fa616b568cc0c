/** Text from others made harmless to show. Knows neither terminals nor logs. Pure. */

/**
 * What could move the cursor, change the title, or reorder a line: control characters (also the
 * 8-bit ones, of which U+009B begins an escape sequence), line separators, bidirectional controls
 * and lone surrogates.
 */
const unsafe = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Bidi_Control}]/gu;

/** The text with every unsafe character written as \uXXXX: one line, safe on a terminal. */
export function sanitize(text: string): string {
  return text.replace(unsafe, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
