/**
 * What the program writes to a terminal or a pipe, and by which rules:
 *
 * 1. stdout carries the result and nothing else: with --json one object per line, else short text.
 * 2. stderr carries everything else: notes, progress, and on failure one line that says what went
 *    wrong and what to do. With --json that line is {"error","code"}. Where the log is JSON, both
 *    are lines of that log, so that who reads it never meets anything else.
 * 3. Progress is drawn only when stderr is a terminal and --json is off, and is wiped before any
 *    other line is written.
 * 4. Text that came from others is sanitised (format.ts): on a terminal no peer can move the
 *    cursor, colour a line or fake our own words.
 * 5. No colour and no drawing characters: the text is the same in a log and read aloud.
 * 6. A reader that goes away (`| head`) is no error: what nobody reads is dropped.
 */
import type { CallOptions } from '../api/ports.ts';
import { isAltNetError } from '../base/errors.ts';
import { sanitize, toJsonLine } from './format.ts';
import { ProgressLine } from './progress-bar.ts';

/** The part of a writable stream that is used here. */
export interface OutputStream {
  write(data: string | Uint8Array): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

export interface TerminalOptions {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly json: boolean;
  /** Notes and failures are lines of a JSON log: "level", "time", "msg" and what they say. */
  readonly jsonLog?: boolean | undefined;
  /** What stands before notes and errors: "altnet". */
  readonly program: string;
  /** Monotonic milliseconds; for tests. */
  readonly nowMs?: (() => number) | undefined;
  /** Of the wall clock; for tests. */
  readonly unixMs?: (() => number) | undefined;
}

const columnsDefault = 80;

type OnProgress = NonNullable<CallOptions['onProgress']>;

export class Terminal {
  readonly json: boolean;
  readonly #stdout: OutputStream;
  readonly #stderr: OutputStream;
  readonly #program: string;
  readonly #jsonLog: boolean;
  readonly #nowMs: () => number;
  readonly #unixMs: () => number;
  #progressShown = false;

  constructor({ stdout, stderr, json, jsonLog, program, nowMs, unixMs }: TerminalOptions) {
    this.#stdout = stdout;
    this.#stderr = stderr;
    this.json = json;
    this.#program = program;
    this.#jsonLog = jsonLog ?? false;
    this.#nowMs = nowMs ?? (() => performance.now());
    this.#unixMs = unixMs ?? (() => Date.now());
  }

  get outputIsTerminal(): boolean {
    return this.#stdout.isTTY === true;
  }

  /** The same terminal with or without JSON. */
  withJson(json: boolean): Terminal {
    const [stdout, stderr, program] = [this.#stdout, this.#stderr, this.#program];
    const [jsonLog, nowMs, unixMs] = [this.#jsonLog, this.#nowMs, this.#unixMs];
    return new Terminal({ stdout, stderr, program, json, jsonLog, nowMs, unixMs });
  }

  /** One result: the object with --json, else the lines, which are already safe to print. */
  result(object: object, lines: readonly string[]): void {
    this.#wipe();
    if (this.json) this.#stdout.write(`${toJsonLine(object)}\n`);
    else if (lines.length > 0) this.#stdout.write(`${lines.join('\n')}\n`);
  }

  /** A list: an object per line with --json, else `lines`, which may be a table or a remark. */
  list(objects: readonly object[], lines: readonly string[]): void {
    this.#wipe();
    const output = this.json ? objects.map(toJsonLine) : lines;
    if (output.length > 0) this.#stdout.write(`${output.join('\n')}\n`);
  }

  /** Help and other text of our own on stdout, as it is. */
  text(text: string): void {
    this.#wipe();
    this.#stdout.write(text);
  }

  /** The bytes of a value, unchanged: for pipes. */
  bytes(bytes: Uint8Array): void {
    this.#wipe();
    this.#stdout.write(bytes);
  }

  /** A remark on stderr. */
  note(text: string): void {
    this.#wipe();
    const line = this.#jsonLog
      ? this.#logLine('warn', 'note', { note: text })
      : `${this.#program}: ${sanitize(text)}`;
    this.#stderr.write(`${line}\n`);
  }

  /** A line of the log, complete with its line end. */
  log(line: string): void {
    this.#wipe();
    this.#stderr.write(line);
  }

  /** The one line about a failure. */
  failure(error: unknown): void {
    this.#wipe();
    this.#stderr.write(`${this.#failureLine(describeError(error))}\n`);
  }

  #failureLine({ message, code }: { message: string; code: string }): string {
    if (this.#jsonLog) return this.#logLine('error', 'failed', { error: message, code });
    if (this.json) return toJsonLine({ error: message, code });
    return `${this.#program}: ${sanitize(message)}`;
  }

  /** In the shape that node/log.ts gives its lines. */
  #logLine(level: string, msg: string, fields: Readonly<Record<string, string>>): string {
    return toJsonLine({ level, time: this.#unixMs(), ...fields, msg });
  }

  /** Shows that something is going on; rewritten by the next call, wiped by the next output. */
  status(text: string): void {
    if (!this.#showsProgress) return;
    this.#stderr.write(`\r\u001B[K${sanitize(text).slice(0, this.#width)}`);
    this.#progressShown = true;
  }

  /** A progress callback for work called `label` ("publishing"); shows a first line at once. */
  progress(label: string): OnProgress {
    this.status(`${label} ...`);
    const line = new ProgressLine(label);
    return (progress) => {
      if (!this.#showsProgress) return;
      this.status(line.text(progress, { nowMs: this.#nowMs(), width: this.#width }));
    };
  }

  /** Wipes a progress line that is still shown. */
  done(): void {
    this.#wipe();
  }

  get #showsProgress(): boolean {
    return !this.json && this.#stderr.isTTY === true;
  }

  /** One column less than there are: a full line would move the cursor to the next one. */
  get #width(): number {
    return Math.max(1, (this.#stderr.columns || columnsDefault) - 1);
  }

  #wipe(): void {
    if (this.#progressShown) this.#stderr.write('\r\u001B[K');
    this.#progressShown = false;
  }
}

/** The sentence and the code of any failure; an error that nobody foresaw is INTERNAL. */
export function describeError(error: unknown): { message: string; code: string } {
  if (isAltNetError(error)) return { message: error.message, code: error.code };
  const text = error instanceof Error ? error.message : String(error);
  return { message: `internal error: ${text}; please report it`, code: 'INTERNAL' };
}

/** Codes that say: these words can never work, whatever the network's state. Exit code 2. */
const usageCodes: ReadonlySet<string> = new Set([
  'USAGE',
  'BAD_ADDRESS',
  'BAD_ARGUMENT',
  'BAD_KEY_STRING',
  'BAD_NAME',
  'BAD_ROOT',
  'BAD_URL',
]);

/** 2 for wrong usage, 1 for every other failure. */
export function exitCodeOf(error: unknown): 1 | 2 {
  return isAltNetError(error) && usageCodes.has(error.code) ? 2 : 1;
}
