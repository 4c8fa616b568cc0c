/**
 * The log of a node: pino, as JSON lines or as text that people read; a node writes it to standard
 * error. What was said of a thing is decided where it happened; here it is kept to one line, of
 * harmless characters, not too long and not too often (docs/LOGS.md).
 */
import process from 'node:process';
import { type DestinationStream, pino } from 'pino';
import { type Clock, systemWorld } from '../base/clock.ts';
import type { LogFields, Logger } from '../base/logger.ts';
import { sanitize } from '../base/plain-text.ts';
import { LogLimit } from './log-limit.ts';
import type { LogLevel } from './options.ts';

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: 'text' | 'json';
  /** For tests. */
  readonly clock?: Pick<Clock, 'monotonicMs'> | undefined;
}

/** Of a text in a field: a sentence and a path fit. */
const textCharsMax = 500;

/** A logger that writes to `write`, one line a call. */
export function createLogger(
  { level, format, clock = systemWorld.clock }: LogOptions,
  write: (line: string) => void = (line) => process.stderr.write(line),
): Logger {
  const destination: DestinationStream = {
    // Also in JSON, which escapes less: people look at it on terminals, too.
    write: (line) => write(`${sanitize(format === 'json' ? line.trimEnd() : renderText(line))}\n`),
  };
  const log = pino(
    { level, base: null, formatters: { level: (label) => ({ level: label }) } },
    destination,
  );
  const limit = new LogLimit(clock);
  const say = (at: LogLevel): Logger[LogLevel] => {
    return (message, fields = {}) => {
      if (!log.isLevelEnabled(at)) return;
      // Whoever turns on debug wants all of it, and for a short while.
      const leftOut = at === 'debug' ? 0 : limit.take(message);
      if (leftOut === undefined) return;
      log[at]({ ...bounded(fields), ...(leftOut > 0 && { leftOut }) }, message);
    };
  };
  return { error: say('error'), warn: say('warn'), info: say('info'), debug: say('debug') };
}

function bounded(fields: LogFields): LogFields {
  const cut = Object.entries(fields).map(([name, value]) => {
    const isLong = typeof value === 'string' && value.length > textCharsMax;
    return [name, isLong ? `${value.slice(0, textCharsMax)}…` : value] as const;
  });
  return Object.fromEntries(cut);
}

/** "12:03:04 info  listening address=127.0.0.1:9000" */
function renderText(line: string): string {
  const { time, level, msg, ...fields } = JSON.parse(line) as {
    time: number;
    level: string;
    msg: string;
  } & LogFields;
  const clock = new Date(time).toISOString().slice(11, 19);
  const rest = Object.entries(fields).map(([name, value]) => ` ${name}=${quoteIfNeeded(value)}`);
  return `${clock} ${level.padEnd(5)} ${msg}${rest.join('')}`;
}

function quoteIfNeeded(value: unknown): string {
  const text = String(value);
  return /^[\w.:/@#[\]-]+$/.test(text) ? text : JSON.stringify(text);
}
