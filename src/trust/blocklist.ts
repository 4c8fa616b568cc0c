/**
 * The operator's own list of what this node neither keeps nor shows (docs/spec/trust.md,
 * "Blocklist"): asked all the time, changed by its file or from here. What follows from a change is
 * not known here.
 */
import type { Bytes } from '../base/bytes.ts';
import type { Random } from '../base/clock.ts';
import { AltNetError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { seedBytes } from './digest-table.ts';
import { appendLine, dropRanges, type Edited } from './edit-list.ts';
import { encodeNote, type Entry, parseEntry } from './entry.ts';
import { findRule, listEntries } from './find-lines.ts';
import { type ListForm, LiveList } from './live-list.ts';
import { type LoadedRules, loadRules, noRules } from './load-rules.ts';
import type { BadLine, BlockedSource, StopListening } from './ports.ts';
import { lineBytesMax } from './read-line.ts';
import type { Rule } from './rule.ts';
import type { RuleSet } from './rule-set.ts';

export interface BlocklistDeps {
  readonly random: Random;
  readonly log: Logger;
}

export interface BlocklistChange {
  /** The line of the file, without a note. */
  readonly entry: string;
  /** False: it was denied, or was not, before. */
  readonly changed: boolean;
}

export interface BlocklistContent {
  readonly file: string;
  /** The first 10,000 lines that are rules, as they stand in the file. */
  readonly entries: readonly string[];
  readonly count: number;
  readonly bad: readonly BadLine[];
  readonly badCount: number;
  readonly foreignCount: number;
}

const entriesShownMax = 10_000;
const noteCharsMax = 200;
/** Somebody else may write the file at the same moment, but not all the time. */
const attemptsMax = 5;
const reportedMax = 10;
const heading = '# What this node neither keeps nor shows: one root, path, name or URL a line.\n';

export class Blocklist implements BlockedSource {
  readonly #live: LiveList<LoadedRules>;

  constructor(file: string, { random, log }: BlocklistDeps) {
    this.#live = new LiveList(file, formOf(random), log);
  }

  get isEmpty(): boolean {
    return this.#rules.count === 0;
  }

  isBlockBlocked(hash: Bytes): boolean {
    return this.#rules.deniesBlock(hash);
  }

  isPathBlocked(root: Bytes, path: string): boolean {
    return this.#rules.deniesPath(root, path);
  }

  isNameBlocked(label: string): boolean {
    return this.#rules.deniesName(label);
  }

  isUrlBlocked(canonical: string): boolean {
    return this.#rules.deniesUrl(canonical);
  }

  onChange(listener: () => void): StopListening {
    return this.#live.onChange(listener);
  }

  /** Rules in force. */
  get count(): number {
    return this.#rules.count;
  }

  /** Rejects with LIST_UNREADABLE. */
  start(): Promise<void> {
    return this.#live.start();
  }

  look(): Promise<void> {
    return this.#live.look();
  }

  stop(): Promise<void> {
    return this.#live.stop();
  }

  /**
   * Denies a root, name or URL from now on. Rejects with BAD_ARGUMENT, BAD_NAME, BAD_URL, BUSY,
   * DISK_FULL, PATH_UNSUPPORTED or LIST_UNREADABLE.
   */
  block(what: string, note = ''): Promise<BlocklistChange> {
    const entry = parseEntry(what);
    const line = `${entry.line}${encodeNote(requireNote(note))}`;
    return this.#edit(entry, async () => {
      if (this.#rules.effectOf(entry.rule) === 'deny') return 'unchanged';
      return this.#append(line, { rule: entry.rule, allow: false });
    });
  }

  /** Takes it back, also when another line denies it as well. Rejects like `block`. */
  unblock(what: string): Promise<BlocklistChange> {
    const entry = parseEntry(what);
    const { rule } = entry;
    return this.#edit(entry, async () => {
      if (rule.on === 'path' && this.#rules.deniesBlock(rule.root)) {
        const why = 'its root is blocked, and nothing below that can be had; unblock the root';
        throw new AltNetError('BAD_ARGUMENT', { what: entry.line, why });
      }
      const isListed = this.#rules.effectOf(rule) === 'deny';
      if (!isListed && !denies(this.#rules, rule)) return 'unchanged';
      const dropped = isListed ? await this.#drop(rule) : undefined;
      if (dropped === 'overtaken' || !denies(this.#rules, rule)) return dropped ?? 'unchanged';
      return this.#append(`!${entry.line}`, { rule, allow: true });
    });
  }

  /** Rejects with LIST_UNREADABLE. */
  async content(): Promise<BlocklistContent> {
    const { file, list } = this.#live;
    const { rules, bad, badCount, foreignCount } = list;
    const entries = await listEntries(file, entriesShownMax);
    return { file, entries, count: rules.count, bad, badCount, foreignCount };
  }

  get #rules(): RuleSet {
    return this.#live.list.rules;
  }

  /** Works on what the file says at this moment. */
  #edit(entry: Entry, work: () => Promise<Edited | 'unchanged'>): Promise<BlocklistChange> {
    return this.#live.inTurn(async () => {
      for (let attempt = 1; attempt <= attemptsMax; attempt++) {
        await this.#live.refresh();
        const edited = await work();
        if (edited !== 'overtaken') return { entry: entry.line, changed: edited !== 'unchanged' };
      }
      throw new AltNetError('BUSY', { what: this.#live.file });
    });
  }

  /** The rules in force get one more: reading a million lines again for it would take seconds. */
  async #append(line: string, { rule, allow }: { rule: Rule; allow: boolean }): Promise<Edited> {
    const { file, stamp, list } = this.#live;
    if (line.length > lineBytesMax) throw tooLong(line);
    const edited = await appendLine(file, { line, heading, stamp });
    if (edited === 'overtaken') return 'overtaken';
    list.rules.add(rule, allow);
    this.#live.replace({ loaded: list, stamp: edited.stamp });
    return edited;
  }

  async #drop(rule: Rule): Promise<Edited> {
    const { file, stamp, list } = this.#live;
    const { ranges, numbers, hasException } = await findRule(file, rule);
    const edited = await dropRanges(file, { ranges, stamp });
    if (edited === 'overtaken') return 'overtaken';
    if (hasException) await this.#live.refresh(); // the order of what is left decides
    else {
      list.rules.forget(rule, numbers.length);
      const bad = list.bad.map(({ line, why }) => ({
        line: line - countBelow(numbers, line),
        why,
      }));
      this.#live.replace({ loaded: { ...list, bad }, stamp: edited.stamp });
    }
    return edited;
  }
}

function formOf(random: Random): ListForm<LoadedRules> {
  return {
    empty: noRules(random.bytes(seedBytes)),
    load: (file, signal) => loadRules(file, { seed: random.bytes(seedBytes), signal }),
    isSame: (before, after) => before.rules.count === 0 && after.rules.count === 0,
    report({ rules, bad, badCount, foreignCount }, { before, file, log }) {
      const counts = { rules: rules.count, bad: badCount, foreign: foreignCount };
      if (rules.count + badCount + foreignCount + before.rules.count > 0) {
        log.info('read the blocklist', { file, ...counts });
      }
      for (const { line, why } of bad.slice(0, reportedMax)) {
        log.warn('left a line of a list aside', { file, line, why });
      }
    },
  };
}

/** Whether it is denied by any line. */
function denies(rules: RuleSet, rule: Rule): boolean {
  switch (rule.on) {
    case 'block':
      return rules.deniesBlock(rule.hash);
    case 'path':
      return rules.deniesPath(rule.root, rule.path);
    case 'name':
      return rules.deniesName(rule.label);
    case 'url':
      return rules.deniesUrl(rule.canonical);
    case 'double':
      break;
  }
  return rules.effectOf(rule) === 'deny';
}

function countBelow(sorted: readonly number[], limit: number): number {
  return sorted.filter((number) => number < limit).length;
}

function requireNote(note: string): string {
  if (note.length <= noteCharsMax) return note;
  const why = `it has more than ${noteCharsMax} characters`;
  throw new AltNetError('BAD_ARGUMENT', { what: 'note', why });
}

function tooLong(line: string): AltNetError<'BAD_ARGUMENT'> {
  const why = `a line has at most ${lineBytesMax} bytes`;
  return new AltNetError('BAD_ARGUMENT', { what: `${line.slice(0, 99)}…`, why });
}
