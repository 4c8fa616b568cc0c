/** Looking through a blocklist's file for lines: those that mean a rule, and those to show. */
import { parseUtf8 } from '../base/bytes.ts';
import type { Range } from './edit-list.ts';
import { openList, readLines, unreadable } from './list-file.ts';
import type { ListLine } from './list-line.ts';
import { findBody, listBytesMax } from './load-rules.ts';
import { lineBytesMax, readLine } from './read-line.ts';
import type { DoubleForm, Rule } from './rule.ts';
import { isSameRule, type RuleSink } from './rule-set.ts';

export interface FoundLines {
  /** Where the lines are that deny it, neighbours in one. BOUNDED by the file's lines. */
  readonly ranges: readonly Range[];
  /** Their numbers, the first line being 1. */
  readonly numbers: readonly number[];
  /** There is a line that allows it, too. */
  readonly hasException: boolean;
}

/** Rejects with LIST_UNREADABLE. */
export async function findRule(
  file: string,
  rule: Rule,
  signal?: AbortSignal,
): Promise<FoundLines> {
  const sought = new SoughtRule(rule);
  const ranges: { from: number; to: number }[] = []; // BOUNDED by the lines of the file
  const numbers: number[] = []; // BOUNDED likewise
  let hasException = false;
  await readRuleLines(file, sought, signal, (line) => {
    const met = sought.take();
    if (met === 'allow') hasException = true;
    if (met !== 'deny') return 'more';
    const last = ranges.at(-1);
    if (last?.to === line.from) last.to = line.to;
    else ranges.push({ from: line.from, to: line.to });
    numbers.push(line.number);
    return 'more';
  });
  return { ranges, numbers, hasException };
}

/** The first lines that are rules, at most `max`, as they stand there. Rejects like `findRule`. */
export async function listEntries(
  file: string,
  max: number,
  signal?: AbortSignal,
): Promise<string[]> {
  const entries: string[] = []; // BOUNDED by max
  await readRuleLines(file, ignored, signal, ({ octets, start, end }) => {
    if (entries.length >= max) return 'enough';
    entries.push((parseUtf8(octets.subarray(start, end)) ?? '').trim());
    return 'more';
  });
  return entries;
}

async function readRuleLines(
  file: string,
  sink: RuleSink,
  signal: AbortSignal | undefined,
  take: (line: ListLine) => 'more' | 'enough',
): Promise<void> {
  const list = await openList(file, listBytesMax);
  if (!list) return;
  try {
    const bodyFrom = await findBody(file, list, signal);
    await readLines(list, { lineBytesMax, signal }, (line) =>
      line.from < bodyFrom || readLine(line, sink) !== 'rule' ? 'more' : take(line),
    );
  } catch (error) {
    signal?.throwIfAborted();
    throw unreadable(file, error);
  } finally {
    await list.handle.close();
  }
}

const ignored: RuleSink = {
  addBlock: () => undefined,
  addDouble: () => undefined,
  add: () => undefined,
};

/** Remembers whether the line that was just read is about one rule. */
class SoughtRule implements RuleSink {
  readonly #rule: Rule;
  #met: 'deny' | 'allow' | undefined;

  constructor(rule: Rule) {
    this.#rule = rule;
  }

  take(): 'deny' | 'allow' | undefined {
    const met = this.#met;
    this.#met = undefined;
    return met;
  }

  addBlock(hash: Uint8Array, allow: boolean): void {
    this.add({ on: 'block', hash }, allow);
  }

  addDouble(digest: Uint8Array, form: DoubleForm, allow: boolean): void {
    this.add({ on: 'double', digest, form }, allow);
  }

  add(rule: Rule, allow: boolean): void {
    if (isSameRule(rule, this.#rule)) this.#met = allow ? 'allow' : 'deny';
  }
}
