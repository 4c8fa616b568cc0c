/**
 * Whom this node trusts: a list of public keys, as registrars and as revokers (docs/spec/trust.md,
 * "Key lists"). What they are trusted with is not known here.
 */
import { type Bytes, equalBytes, parseHex } from '../base/bytes.ts';
import type { Logger } from '../base/logger.ts';
import { isPublicKey } from '../identity/curve.ts';
import { openList, readWhole, unreadable } from './list-file.ts';
import { type ListForm, LiveList, type Loaded } from './live-list.ts';
import type { BadLine, StopListening, TrustedKeys } from './ports.ts';

export const trustedKeysMax = 64;
export const keyListBytesMax: number = 64 * 1024;

export interface ParsedKeys {
  /** In the order of their lines, none twice. */
  readonly keys: readonly Bytes[];
  /** All of them: a file has few lines. */
  readonly bad: readonly BadLine[];
}

/** A public key of 64 hex digits a line; what follows a # is a comment. */
export function parseKeys(octets: Bytes): ParsedKeys {
  const keys: Bytes[] = []; // BOUNDED by trustedKeysMax
  const bad: BadLine[] = []; // BOUNDED by keyListBytesMax
  // One octet a character: what is not UTF-8 spoils its line and no other.
  const text = Buffer.from(octets).toString('latin1');
  for (const [i, line] of text
    .replace(/^\xef\xbb\xbf/, '')
    .split('\n')
    .entries()) {
    const word = line.replace(/#.*$/s, '').trim();
    if (word === '') continue;
    const key = parseHex(word, 32);
    if (key && keys.some((other) => equalBytes(other, key))) continue;
    const why = flawOf(key, keys.length);
    if (why !== undefined) bad.push({ line: i + 1, why });
    else if (key) keys.push(key);
  }
  return { keys, bad };
}

function flawOf(key: Bytes | undefined, count: number): string | undefined {
  if (!key) return 'it is not the 64 hex digits of a public key';
  if (count >= trustedKeysMax)
    return `there are ${trustedKeysMax} keys before it, which is the most`;
  return isPublicKey(key) ? undefined : 'that is no public key, though a key ID looks like this';
}

/** Whether it says something, and nothing of it is a key. */
function isSpoilt({ keys, bad }: ParsedKeys): boolean {
  return keys.length === 0 && bad.length > 0;
}

const reportedMax = 10;

const form: ListForm<ParsedKeys> = {
  empty: { keys: [], bad: [] },

  async load(file): Promise<Loaded<ParsedKeys>> {
    const list = await openList(file, keyListBytesMax);
    if (!list) return { loaded: form.empty, stamp: undefined };
    try {
      return { loaded: parseKeys(await readWhole(list)), stamp: list.stamp };
    } catch (error) {
      throw unreadable(file, error);
    } finally {
      await list.handle.close();
    }
  },

  isSame: (before, after) =>
    isSpoilt(before) === isSpoilt(after) &&
    before.keys.length === after.keys.length &&
    before.keys.every((key, i) => equalBytes(key, after.keys[i] ?? new Uint8Array())),

  report({ keys, bad }, { before, file, log }) {
    // One that came to be empty is told: names that only registrars gave are anybody's then.
    if (keys.length + bad.length + before.keys.length > 0) {
      log.info('read a list of keys', { file, keys: keys.length, bad: bad.length });
    }
    for (const { line, why } of bad.slice(0, reportedMax)) {
      log.warn('left a line of a list aside', { file, line, why });
    }
  },
};

export class KeyList implements TrustedKeys {
  readonly #live: LiveList<ParsedKeys>;

  constructor(file: string, log: Logger) {
    this.#live = new LiveList(file, form, log);
  }

  list(): readonly Bytes[] {
    return this.#live.list.keys;
  }

  /** Lines that mean nothing. */
  bad(): readonly BadLine[] {
    return this.#live.list.bad;
  }

  /** It has lines, and none of them is a key. */
  isSpoilt(): boolean {
    return isSpoilt(this.#live.list);
  }

  has(key: Bytes): boolean {
    return this.list().some((one) => equalBytes(one, key));
  }

  onChange(listener: () => void): StopListening {
    return this.#live.onChange(listener);
  }

  start(): Promise<void> {
    return this.#live.start();
  }

  look(): Promise<void> {
    return this.#live.look();
  }

  stop(): Promise<void> {
    return this.#live.stop();
  }
}
