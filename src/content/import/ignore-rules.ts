/**
 * What `.altignore` files leave out of a site, by the rules of .gitignore files. This file owns
 * their form, their bounds and how those of different folders work together; the library `ignore`
 * knows what a pattern matches. It reads no files.
 */
import ignore, { type Ignore } from 'ignore';
import { type Bytes, parseUtf8 } from '../../base/bytes.ts';

export const ignoreFileName = '.altignore';
export const ignoreFileBytesMax: number = 64 * 1024;
const linesMax = 1000;
const lineLengthMax = 1024;
/** Patterns that apply in one folder: its own and those from above. */
const patternsMax = 2000;
/**
 * A match takes time in the number of ways to lay out the folders of a path over the `**` of a
 * pattern; `*` alone takes no more time than the path is long. Four `**` on the longest path that
 * is published take a hundredth of a second at worst.
 */
const starPairsMax = 4;

/** Why a file cannot be used: "line 3 …", or about the file as a whole. */
export interface BadIgnoreFile {
  readonly why: string;
}

/** The rules that apply in one folder. */
export class IgnoreRules {
  static readonly none: IgnoreRules = new IgnoreRules([], { patterns: emptySet(), count: 0 });

  /** Names from the top folder down to this one. */
  readonly #folder: readonly string[];
  readonly #set: PatternSet;
  /** Of this folder alone, as it remembers each path that it was asked about. */
  readonly #matcher: Ignore;

  private constructor(folder: readonly string[], set: PatternSet) {
    this.#folder = folder;
    this.#set = set;
    this.#matcher = emptySet().add(set.patterns);
  }

  /** In the subfolder `name`, as far as that has no file of its own. */
  below(name: string): IgnoreRules {
    return new IgnoreRules([...this.#folder, name], this.#set);
  }

  /** With those of the file in this folder: of two that match, the later and the deeper counts. */
  with(file: Bytes): IgnoreRules | BadIgnoreFile {
    if (file.length > ignoreFileBytesMax) {
      return { why: `it has more than ${ignoreFileBytesMax} bytes` };
    }
    const text = parseUtf8(file);
    if (text === undefined) return { why: 'it is not UTF-8' };
    const lines = text.replace(/^\u{FEFF}/u, '').split(/\r?\n/);
    if (lines.length > linesMax) return { why: `it has more than ${linesMax} lines` };
    const patterns: string[] = [];
    for (const [i, line] of lines.entries()) {
      const why = badLine(line);
      if (why !== undefined) return { why: `line ${i + 1} ${why}` };
      const pattern = anchor(line, this.#folder);
      if (pattern !== undefined) patterns.push(pattern);
    }
    const count = this.#set.count + patterns.length;
    if (count > patternsMax) {
      return { why: `with those of the folders above there are more than ${patternsMax} patterns` };
    }
    const all = emptySet().add(this.#set.patterns).add(patterns);
    return new IgnoreRules(this.#folder, { patterns: all, count });
  }

  /** Leaves nothing out. */
  get isEmpty(): boolean {
    return this.#set.count === 0;
  }

  /** Whether the entry `name` of this folder is left out, and with it everything below. */
  leavesOut(name: string, isFolder: boolean): boolean {
    if (this.isEmpty) return false;
    const path = [...this.#folder, name].join('/');
    return this.#matcher.ignores(isFolder ? `${path}/` : path);
  }
}

interface PatternSet {
  /** Read from the top folder. */
  readonly patterns: Ignore;
  readonly count: number;
}

/** Names differ by case, as in links, on whatever system a site is published. */
function emptySet(): Ignore {
  return ignore({ ignorecase: false });
}

function badLine(line: string): string | undefined {
  if (line.length > lineLengthMax) return `has more than ${lineLengthMax} characters`;
  if (line.includes('\0')) return 'has a NUL character';
  const pairs = line.match(/\*{2,}/g)?.length ?? 0;
  return pairs > starPairsMax ? `has more than ${starPairsMax} "**"` : undefined;
}

/** The pattern as it reads from the top folder; undefined for a comment and the like. */
function anchor(line: string, folder: readonly string[]): string | undefined {
  if (line.startsWith('#')) return undefined;
  const negated = line.startsWith('!') ? '!' : '';
  const pattern = line.slice(negated.length);
  if (/^\/* *$/.test(pattern)) return undefined;
  if (folder.length === 0) return line;
  const top = folder.map((name) => name.replace(/[\\*?[\]!# ]/g, '\\$&')).join('/');
  // A slash before the end ties a pattern to its folder; others match at any depth below.
  const tied = /\/(?! *$)/.test(pattern);
  return `${negated}/${top}/${tied ? pattern.replace(/^\//, '') : `**/${pattern}`}`;
}
