/**
 * From a blocklist's file to its rules, without holding the event loop up: docs/spec/trust.md,
 * "Reading". What is read is a new set; the one in force is not touched.
 */
import { parseUtf8 } from '../base/bytes.ts';
import type { Bytes } from '../base/bytes.ts';
import { AltNetError } from '../base/errors.ts';
import { type FileStamp, type OpenList, openList, readLines, unreadable } from './list-file.ts';
import type { ListLine } from './list-line.ts';
import type { BadLine } from './ports.ts';
import { lineBytesMax, readLine } from './read-line.ts';
import { parseLine } from './rule.ts';
import { RuleSet } from './rule-set.ts';

export interface LoadedRules {
  readonly rules: RuleSet;
  /** The first 100. */
  readonly bad: readonly BadLine[];
  readonly badCount: number;
  /** Valid lines about what AltNet does not have. */
  readonly foreignCount: number;
}

export const listBytesMax: number = 256 * 1024 * 1024;
const headerBytesMax = 1024 * 1024;
const badMax = 100;

export interface LoadOptions {
  /** 32 random bytes, for this set alone. */
  readonly seed: Bytes;
  readonly signal?: AbortSignal | undefined;
}

/** A missing file is an empty list. Rejects with LIST_UNREADABLE. */
export async function loadRules(
  file: string,
  options: LoadOptions,
): Promise<{ readonly loaded: LoadedRules; readonly stamp: FileStamp }> {
  const list = await openList(file, listBytesMax);
  if (!list) return { loaded: noRules(options.seed), stamp: undefined };
  try {
    return { loaded: await readRules(file, list, options), stamp: list.stamp };
  } catch (error) {
    options.signal?.throwIfAborted();
    throw unreadable(file, error);
  } finally {
    await list.handle.close();
  }
}

export function noRules(seed: Bytes): LoadedRules {
  return { rules: new RuleSet(seed), bad: [], badCount: 0, foreignCount: 0 };
}

async function readRules(
  file: string,
  list: OpenList,
  { seed, signal }: LoadOptions,
): Promise<LoadedRules> {
  const rules = new RuleSet(seed);
  const bad: BadLine[] = []; // BOUNDED by badMax
  let badCount = 0;
  let foreignCount = 0;
  const bodyFrom = await findBody(file, list, signal);
  await readLines(list, { lineBytesMax, signal }, (line) => {
    if (line.from < bodyFrom) return 'more';
    const meaning = readLine(line, rules);
    if (meaning === 'foreign') foreignCount++;
    if (typeof meaning !== 'object') return 'more';
    badCount++;
    if (bad.length < badMax) bad.push({ line: line.number, why: meaning.why });
    return 'more';
  });
  return { rules, bad, badCount, foreignCount };
}

/**
 * Where the lines begin that are rules: behind the line "---" of a header, else at the start. What
 * holds a rule is no header, or two lists in one file would lose those of the first.
 */
export async function findBody(
  file: string,
  list: OpenList,
  signal: AbortSignal | undefined,
): Promise<number> {
  let bodyFrom = 0;
  let version = '1';
  await readLines(list, { lineBytesMax: headerBytesMax, signal }, (line) => {
    if (line.to > headerBytesMax) return 'enough';
    const text = textOf(line);
    if (text === '---') bodyFrom = line.to;
    if (text === '---' || isRule(text)) return 'enough';
    version = /^version\s*:\s*["']?([^"'\s]+)/.exec(text)?.[1] ?? version;
    return 'more';
  });
  if (bodyFrom > 0 && version !== '1') {
    const why = `it is of version ${version.slice(0, 20)} of the format, this program knows version 1`;
    throw new AltNetError('LIST_UNREADABLE', { file, why });
  }
  return bodyFrom;
}

function textOf({ octets, start, end }: ListLine): string {
  return parseUtf8(octets.subarray(start, end))?.trimEnd() ?? '';
}

function isRule(text: string): boolean {
  const first = text[0] ?? '';
  if (!/[/!0-9a-fA-F]/.test(first)) return false;
  const { is } = parseLine(text);
  return is === 'rule' || is === 'foreign';
}
