/**
 * The values of options, checked. Each function takes the option's name for its message and throws
 * USAGE, which ends the program with exit code 2. Nothing here touches a file or the network.
 */
import path from 'node:path';
import { AltNetError } from '../base/errors.ts';
import { parseBootstrapAddress } from '../node/bootstrap.ts';
import { requireHostPort } from '../node/bind.ts';

/** What commander gives for one command: undefined where the user said nothing. */
export type OptionValues = Readonly<Record<string, unknown>>;

export function usageError(why: string): AltNetError<'USAGE'> {
  return new AltNetError('USAGE', { why });
}

/** The option as the user wrote it; undefined when not given. */
export function textOption(values: OptionValues, name: string): string | undefined {
  const value = values[name];
  return typeof value === 'string' ? value : undefined;
}

export function flagOption(values: OptionValues, name: string): boolean {
  return values[name] === true;
}

/** "host:port", checked, as it was written. */
export function parseAddressOption(flag: string, text: string): string {
  return named(flag, () => {
    requireHostPort(text);
    return text;
  });
}

/**
 * An absolute path. An empty word is refused: it comes from a variable that was never set and would
 * stand for the folder that the user happens to be in.
 */
export function parsePath(what: string, text: string, cwd: string): string {
  if (text === '') throw usageError(`${what} is empty; write . for the folder that you are in`);
  return path.resolve(cwd, text);
}

/** Comma-separated "host:port" or "host:port#<node ID>"; empty parts are left out. */
export function parseBootstrapOption(flag: string, text: string): string[] {
  const parts = text.split(',').map((part) => part.trim());
  const addresses = parts.filter((part) => part !== '');
  for (const address of addresses) named(flag, () => parseBootstrapAddress(address));
  return addresses;
}

/** Runs a parser of another module and puts the option's name before what it has to say. */
function named<T>(flag: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw usageError(`${flag}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

const byteUnits: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

/** "1073741824", "1GiB", "64 MiB" or "500MB" as a number of bytes, at least 1. */
export function parseByteCount(flag: string, text: string): number {
  const [, digits = '', unit = ''] =
    /^(\d{1,16}(?:\.\d{1,6})?)\s*([a-z]*)$/i.exec(text.trim()) ?? [];
  const factor = byteUnits[unit.toLowerCase()];
  const bytes = digits === '' || factor === undefined ? 0 : Math.floor(Number(digits) * factor);
  if (bytes >= 1 && Number.isSafeInteger(bytes)) return bytes;
  if (digits !== '' && factor !== undefined)
    throw usageError(`${flag}: ${text} is too ${bytes < 1 ? 'little' : 'much'}; try 64MiB`);
  throw usageError(`${flag}: "${text}" is not a size; write bytes or, for example, 64MiB`);
}

/** A whole number from `min` to `max`. */
export function parseCount(
  flag: string,
  text: string,
  { min, max }: { min: number; max: number },
): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw usageError(`${flag}: "${text}" is not a whole number from ${min} to ${max}`);
}

/** One of a few words. */
export function parseChoice<T extends string>(
  flag: string,
  text: string,
  choices: readonly T[],
): T {
  const choice = choices.find((candidate) => candidate === text);
  if (choice !== undefined) return choice;
  throw usageError(`${flag}: "${text}" is none of ${choices.join(', ')}`);
}

/** Unix seconds from a number of them or from a date: "2014-03-01" or "2014-03-01T12:00:00Z". */
export function parseMoment(flag: string, text: string): number {
  if (/^\d{1,11}$/.test(text)) return Number(text);
  const isDate = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/.test(text);
  const ms = isDate ? Date.parse(text) : Number.NaN;
  if (ms >= 0) return Math.floor(ms / 1000);
  throw usageError(`${flag}: "${text}" is no moment; write 2014-03-01, or Unix seconds`);
}
