/**
 * Words before they are options: the one-dash spelling of long options, and a typed line cut into
 * words. Knows the shape of options, not their meaning.
 */
import { AltNetError } from '../base/errors.ts';

/** Long names without dashes, and whether a value follows in the next word. */
export type LongOptions = ReadonlyMap<string, { readonly takesValue: boolean }>;

/** Short flags with their dash ("-b") that take a value in the next word. */
export type ShortOptionsWithValue = ReadonlySet<string>;

/**
 * Writes `-listen X` and `-listen=X` as `--listen X` and `--listen=X` where `listen` is a known
 * long option. What stands after `--` and what is the value of an option stays as it is, and so does
 * every word that is no known option: `-b`, `-p9000`, `-5`.
 */
export function normaliseArgv(
  argv: readonly string[],
  long: LongOptions,
  shortWithValue: ShortOptionsWithValue = new Set(),
): string[] {
  const words: string[] = [];
  let isValue = false;
  for (const [index, word] of argv.entries()) {
    if (isValue) {
      words.push(word);
      isValue = false;
      continue;
    }
    if (word === '--') return [...words, ...argv.slice(index)];
    const [, name = '', value] = /^--?([a-z][a-z0-9-]+)(=[^]*)?$/.exec(word) ?? [];
    const option = long.get(name);
    words.push(option ? `--${name}${value ?? ''}` : word);
    isValue = option ? option.takesValue && value === undefined : shortWithValue.has(word);
  }
  return words;
}

/** Whether JSON was asked for, known before the words are parsed so that errors obey it too. */
export function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  const words = end === -1 ? argv : argv.slice(0, end);
  return words.includes('--json') || words.includes('-json');
}

/** Whether the log is to be JSON, which only a node has; known before the words are parsed. */
export function wantsJsonLog(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  const words = end === -1 ? argv : argv.slice(0, end);
  return words.some((word, at) => {
    return (
      /^--?log-format=json$/.test(word) ||
      (/^--?log-format$/.test(word) && words[at + 1] === 'json')
    );
  });
}

/**
 * A typed line as words, in the manner of a shell: spaces part, quotes keep together, and a
 * backslash takes the next character as it is, also inside double quotes. Throws USAGE for a quote
 * that does not end.
 */
export function splitWords(line: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let at = 0; at < line.length; at++) {
    const char = line.charAt(at);
    if (char === '\\' && quote !== "'" && at + 1 < line.length) {
      word = (word ?? '') + line.charAt(++at);
    } else if (quote !== '') {
      if (char === quote) quote = '';
      else word = (word ?? '') + char;
    } else if (char === '"' || char === "'") {
      quote = char;
      word ??= '';
    } else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? '') + char;
    }
  }
  if (quote !== '') throw new AltNetError('USAGE', { why: `the quote ${quote} does not end` });
  if (word !== undefined) words.push(word);
  return words;
}
