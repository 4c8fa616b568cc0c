/**
 * The rules of one blocklist in a form that is asked for every block: what is denied by them. Of
 * the rules that fit, the last one decides. It must not know where rules come from.
 */
import { type Bytes, equalBytes, utf8 } from '../base/bytes.ts';
import { sha256 } from '../base/hash.ts';
import { DigestTable } from './digest-table.ts';
import { doublesOfBlock, doublesOfName, doublesOfPath } from './double-hash.ts';
import { PrefixFilter } from './prefix-filter.ts';
import type { DoubleForm, Rule } from './rule.ts';

/** Every site may hold these: the empty file, as a leaf and as a node, and the empty folder. */
const emptyContent: readonly Bytes[] = [
  Uint8Array.of(),
  Uint8Array.of(0x0a, 4, 8, 2, 0x18, 0),
  Uint8Array.of(0x0a, 2, 8, 1),
].map((block) => sha256(block));

export function isEmptyContent(hash: Bytes): boolean {
  return emptyContent.some((empty) => equalBytes(empty, hash));
}

export interface RuleSink {
  /** `hash` and `digest` may be overwritten after the call. */
  addBlock(hash: Bytes, allow: boolean): void;
  addDouble(digest: Bytes, form: DoubleForm, allow: boolean): void;
  add(rule: Rule, allow: boolean): void;
}

/** Where a rule stands, times 2, plus 1 when it denies: the greater of two came later. */
type Verdict = number;
const noVerdict: Verdict = 0;
const denies = (verdict: Verdict): boolean => (verdict & 1) === 1;

/**
 * Double hashes cost two to four for each folder of a path, and whoever asks chooses the path. No
 * path of more names can be had in a site (docs/spec/exchange.md), so none below is listed.
 */
const namesHashedMax = 64;

export class RuleSet implements RuleSink {
  readonly #blocks: DigestTable;
  /** By what stands behind "//". */
  readonly #doubles: DigestTable;
  /** Paths, names and URLs, by the SHA-256 of what they are. */
  readonly #others: DigestTable;
  readonly #paths: PrefixFilter;
  readonly #forms = new Set<DoubleForm>(); // BOUNDED by there being two
  #order = 0;
  #count = 0;

  /** 32 random bytes, for this set alone. */
  constructor(seed: Bytes) {
    this.#blocks = new DigestTable(seed);
    this.#doubles = new DigestTable(seed);
    this.#others = new DigestTable(seed);
    const [a = 0, b = 0, c = 0, d = 0] = sha256(seed);
    this.#paths = new PrefixFilter((a << 24) | (b << 16) | (c << 8) | d);
  }

  /** Rules that were added, exceptions and repetitions included. */
  get count(): number {
    return this.#count;
  }

  addBlock(hash: Bytes, allow: boolean): void {
    this.#blocks.set(hash, this.#verdict(allow));
  }

  addDouble(digest: Bytes, form: DoubleForm, allow: boolean): void {
    this.#forms.add(form);
    this.#doubles.set(digest, this.#verdict(allow));
  }

  add(rule: Rule, allow: boolean): void {
    if (rule.on === 'block') return this.addBlock(rule.hash, allow);
    if (rule.on === 'double') return this.addDouble(rule.digest, rule.form, allow);
    if (rule.on === 'path') this.#paths.add(rule.root, rule.path);
    this.#others.set(digestOf(rule), this.#verdict(allow));
  }

  /** As if this rule had never been added, which it was so many times. */
  forget(rule: Rule, times: number): void {
    this.#count -= times;
    this.#tableOf(rule).set(digestOf(rule), noVerdict);
  }

  /** What this very rule says at last, whatever others say of the same. */
  effectOf(rule: Rule): 'deny' | 'allow' | undefined {
    const verdict = this.#verdictOf(rule);
    if (verdict === noVerdict) return undefined;
    return denies(verdict) ? 'deny' : 'allow';
  }

  deniesBlock(hash: Bytes): boolean {
    const plain = this.#blocks.get(hash);
    const verdict = Math.max(
      plain,
      this.#double((form) => doublesOfBlock(hash, form)),
    );
    return denies(verdict) && !isEmptyContent(hash);
  }

  /** Nothing below a denied root can be had, so an exception there changes nothing. */
  deniesPath(root: Bytes, path: string): boolean {
    if (this.deniesBlock(root)) return true;
    if (this.#paths.isEmpty && this.#doubles.size === 0) return false;
    const names = path.split('/').filter((name) => name !== '');
    if (names.length === 0) return false;
    const plain = names.join('/');
    return denies(Math.max(this.#listedPath(root, plain), this.#doublePath(root, names)));
  }

  deniesName(label: string): boolean {
    const plain = this.#others.size === 0 ? noVerdict : this.#verdictOf({ on: 'name', label });
    return denies(
      Math.max(
        plain,
        this.#double((form) => doublesOfName(label, form)),
      ),
    );
  }

  deniesUrl(canonical: string): boolean {
    return this.#others.size > 0 && denies(this.#verdictOf({ on: 'url', canonical }));
  }

  #listedPath(root: Bytes, path: string): Verdict {
    let verdict = noVerdict;
    for (const length of this.#paths.candidates(root, path)) {
      const beginning = path.slice(0, length);
      const isWhole = length === path.length || path[length] === '/';
      const rule = { on: 'path', root, path: beginning } as const;
      const spelt = this.#verdictOf({ ...rule, prefix: true });
      verdict = Math.max(verdict, spelt);
      if (isWhole) verdict = Math.max(verdict, this.#verdictOf({ ...rule, prefix: false }));
    }
    return verdict;
  }

  /** The path and each folder that it leads through. */
  #doublePath(root: Bytes, names: readonly string[]): Verdict {
    let verdict = noVerdict;
    const deepest = this.#doubles.size > 0 ? Math.min(names.length, namesHashedMax) : 0;
    for (let depth = 1; depth <= deepest; depth++) {
      const path = names.slice(0, depth).join('/');
      verdict = Math.max(
        verdict,
        this.#double((form) => doublesOfPath(root, path, form)),
      );
    }
    return verdict;
  }

  /** Hashes only when the list has such lines, and in the form that it has. */
  #double(doublesIn: (form: DoubleForm) => readonly Bytes[]): Verdict {
    let verdict = noVerdict;
    for (const form of this.#forms) {
      for (const digest of doublesIn(form)) {
        verdict = Math.max(verdict, this.#doubles.get(digest));
      }
    }
    return verdict;
  }

  #verdictOf(rule: Rule): Verdict {
    return this.#tableOf(rule).get(digestOf(rule));
  }

  #tableOf({ on }: Rule): DigestTable {
    if (on === 'block') return this.#blocks;
    return on === 'double' ? this.#doubles : this.#others;
  }

  /** Lines of a file of 256 MiB are so few that this stays below 2^32. */
  #verdict(allow: boolean): Verdict {
    this.#count++;
    return ++this.#order * 2 + (allow ? 0 : 1);
  }
}

/** What two rules of the same meaning have in common, and no others. */
export function isSameRule(a: Rule, b: Rule): boolean {
  if (a.on !== b.on) return false;
  if (a.on === 'block' && b.on === 'block') return equalBytes(a.hash, b.hash);
  if (a.on === 'double' && b.on === 'double') return equalBytes(a.digest, b.digest);
  return equalBytes(digestOf(a), digestOf(b));
}

function digestOf(rule: Rule): Bytes {
  switch (rule.on) {
    case 'block':
      return rule.hash;
    case 'double':
      return rule.digest;
    case 'path':
      return sha256(utf8(rule.prefix ? 'prefix\0' : 'path\0'), rule.root, utf8(rule.path));
    case 'name':
      return sha256(utf8(`name\0${rule.label}`));
    case 'url':
      break;
  }
  return sha256(utf8(`url\0${rule.canonical}`));
}
