/** The log of a node: pino, as JSON lines or as text that people read. Always on stderr. */
import process from 'node:process';
import { type DestinationStream, pino } from 'pino';
import type { LogFields, Logger } from '../base/logger.ts';
import type { LogLevel } from './options.ts';

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: 'text' | 'json';
}

/** A logger that writes to `write`, one line a call. */
export function createLogger(
  { level, format }: LogOptions,
  write: (line: string) => void = (line) => process.stderr.write(line),
): Logger {
  const destination: DestinationStream = {
    write: format === 'json' ? write : (line) => write(renderText(line)),
  };
  const log = pino(
    { level, base: null, formatters: { level: (label) => ({ level: label }) } },
    destination,
  );
  return {
    error: (message, fields) => log.error(fields ?? {}, message),
    warn: (message, fields) => log.warn(fields ?? {}, message),
    info: (message, fields) => log.info(fields ?? {}, message),
    debug: (message, fields) => log.debug(fields ?? {}, message),
  };
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
  return `${clock} ${level.padEnd(5)} ${msg}${rest.join('')}\n`;
}

function quoteIfNeeded(value: unknown): string {
  const text = String(value);
  return /^[\w.:/@#[\]-]+$/.test(text) ? text : JSON.stringify(text);
}
