/**
 * What the user and the past say of publishers, in two files of the data folder:
 * trusted-publishers.txt, a key ID per line, which the user writes, and publishers.json, where it
 * is noted whose alternatives worked. Both are of use and neither is needed: one that is missing
 * or damaged says nothing.
 */
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { makeFolders } from '../../base/folders.ts';
import type { Reputation } from './rank.ts';

const trustedFile = 'trusted-publishers.txt';
const historyFile = 'publishers.json';
/** The longest unused are forgotten. */
const publishersMax = 1000;
/** An old reputation, good or bad, can be lost within a few downloads. */
const balanceMax = 5;
const fileBytesMax = 1 << 20;

const keyId = /^[0-9a-f]{64}$/;

export class PublisherReputation implements Reputation {
  readonly #folder: string;
  readonly #trusted: ReadonlySet<string>;
  /** Least recently used first. BOUNDED by publishersMax. */
  readonly #balances: Map<string, number>;

  private constructor(folder: string, trusted: ReadonlySet<string>, balances: Map<string, number>) {
    this.#folder = folder;
    this.#trusted = trusted;
    this.#balances = balances;
  }

  /** Never rejects. */
  static async load(folder: string): Promise<PublisherReputation> {
    const trusted = parseTrusted(await read(path.join(folder, trustedFile)));
    const balances = parseHistory(await read(path.join(folder, historyFile)));
    return new PublisherReputation(folder, trusted, balances);
  }

  isTrusted(publisher: string): boolean {
    return this.#trusted.has(publisher);
  }

  balance(publisher: string): number {
    return this.#balances.get(publisher) ?? 0;
  }

  note(publisher: string, worked: boolean): void {
    const balance = this.balance(publisher) + (worked ? 1 : -1);
    this.#balances.delete(publisher);
    this.#balances.set(publisher, Math.max(-balanceMax, Math.min(balanceMax, balance)));
    const [oldest] = this.#balances.keys();
    if (this.#balances.size > publishersMax && oldest !== undefined) this.#balances.delete(oldest);
  }

  /** Writes the notes down. Never rejects: a download that worked is not to fail for this. */
  async save(): Promise<void> {
    const file = path.join(this.#folder, historyFile);
    const draft = `${file}.${process.pid}`;
    try {
      await makeFolders(this.#folder, 0o700);
      await writeFile(draft, `${JSON.stringify(Object.fromEntries(this.#balances))}\n`, {
        mode: 0o600,
      });
      await rename(draft, file);
    } catch {
      await rm(draft, { force: true }).catch(() => undefined);
    }
  }
}

async function read(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.length > fileBytesMax ? '' : text;
}

/** Blank lines and what follows a # are left out, and so are lines that are no key ID. */
function parseTrusted(text: string): ReadonlySet<string> {
  const words = text.split('\n').map((line) => line.replace(/#.*/, '').trim().toLowerCase());
  return new Set(words.filter((word) => keyId.test(word)));
}

function parseHistory(text: string): Map<string, number> {
  try {
    const content: unknown = JSON.parse(text);
    if (typeof content !== 'object' || content === null) return new Map();
    const entries = Object.entries(content).filter(
      (entry): entry is [string, number] => keyId.test(entry[0]) && Number.isInteger(entry[1]),
    );
    return new Map(entries.slice(-publishersMax));
  } catch {
    return new Map();
  }
}
