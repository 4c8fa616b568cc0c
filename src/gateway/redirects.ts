/**
 * The rules of a site's `_redirects` file (docs/spec/http.md, "Redirects"): read, matched, filled
 * in. Pure: whether anything exists on the site is not its business. All of it is written by
 * authors nobody knows, so every step costs no more than the length of what it reads.
 */
import { type Bytes, parseUtf8 } from '../base/bytes.ts';
import { formatPath, isBadPath, parsePath, type SitePath } from './path.ts';

export const redirectsName = '_redirects';
export const redirectsBytesMax: number = 64 * 1024;
const rulesMax = 2000;
/** What is filled in may repeat what was asked for as often as a rule has room for names. */
const filledCharsMax = 8192;
/** So many rules may match a path and lead nowhere before the rest is left alone. */
const deadEndsMax = 8;
const quotedCharsMax = 60;

export type RedirectStatus = 301 | 302 | 303 | 307 | 308;
/** 200: shown as if it stood where it was asked for; the others: shown instead. */
export type PageStatus = 200 | 404 | 410 | 451;

type Status = RedirectStatus | PageStatus;

/** A name, or a placeholder for any one name. */
type FromPart = string | { readonly placeholder: string };
/** Text as it stands in a URL, or the value of a placeholder. */
type ToPart = string | { readonly placeholder: string };

interface Rule {
  readonly from: readonly FromPart[];
  /** Whatever follows `from` matches too, and is the value of "splat". */
  readonly hasSplat: boolean;
  readonly to: readonly ToPart[];
  /** "https://example.com", or '' for a path of the same site. */
  readonly origin: string;
  readonly hasQuery: boolean;
  readonly status: Status;
}

export interface Redirects {
  readonly rules: readonly Rule[];
}

/** The file cannot be followed. `line`: counted from 1; absent where it is about the whole file. */
export interface BadRedirects {
  readonly line?: number;
  /** For its author. */
  readonly why: string;
}

/** What a path leads to. */
export type Hit =
  | {
      readonly kind: 'redirect';
      readonly status: RedirectStatus;
      /** For the header. */
      readonly location: string;
      /** On the same site. */
      readonly path: SitePath | undefined;
    }
  | { readonly kind: 'page'; readonly status: PageStatus; readonly path: SitePath };

export function isBadRedirects(rules: Redirects | BadRedirects): rules is BadRedirects {
  return 'why' in rules;
}

/** `bytes`: at most `redirectsBytesMax`. */
export function parseRedirects(bytes: Bytes): Redirects | BadRedirects {
  const text = parseUtf8(bytes);
  if (text === undefined) return { why: 'it is not UTF-8' };
  const rules: Rule[] = []; // BOUNDED by rulesMax
  for (const [i, line] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    const rule = parseLine(line);
    if (typeof rule === 'string') return { line: i + 1, why: rule };
    if (rule === undefined) continue;
    if (rules.length === rulesMax) return { why: `it has more than ${rulesMax} rules` };
    rules.push(rule);
  }
  return { rules };
}

/** Undefined for a line without a rule, and the reason for one that cannot be followed. */
function parseLine(line: string): Rule | string | undefined {
  if (/(?!\t)\p{Cc}/u.test(line)) return 'it holds a control character';
  const words = line.split(/[ \t]+/).filter((word) => word !== '');
  const comment = words.findIndex((word) => word.startsWith('#'));
  const [fromText, toText, statusText = '301', ...others] =
    comment < 0 ? words : words.slice(0, comment);
  if (fromText === undefined) return undefined;
  if (toText === undefined) return 'it says from where, but not to where';
  if (others.length > 0 || /^[^/:]*=/.test(toText)) {
    return 'a rule has three words: from where, to where, the status';
  }
  if (statusText.endsWith('!')) return 'a rule cannot hide what exists ("!")';
  const status = statuses.get(statusText);
  if (status === undefined) return `the status ${quote(statusText)} is not supported`;
  const from = parseFrom(fromText);
  if (typeof from === 'string') return from;
  const to = parseTo(toText, from.names);
  if (typeof to === 'string') return to;
  if (to.origin !== '' && pageStatuses.has(status)) {
    return `with the status ${status} it can lead only to a path of this site`;
  }
  return { from: from.parts, hasSplat: from.names.has('splat'), ...to, status };
}

const statuses: ReadonlyMap<string, Status> = new Map(
  ([200, 301, 302, 303, 307, 308, 404, 410, 451] as const).map((status) => [`${status}`, status]),
);
const pageStatuses: ReadonlySet<number> = new Set<PageStatus>([200, 404, 410, 451]);

/** For a message; a word may be as long as the file. */
function quote(text: string): string {
  return JSON.stringify(text.length > quotedCharsMax ? `${text.slice(0, quotedCharsMax)}…` : text);
}

interface From {
  readonly parts: readonly FromPart[];
  /** Of its placeholders, with "splat" for an asterisk. BOUNDED by the length of the line. */
  readonly names: ReadonlySet<string>;
}

function parseFrom(text: string): From | string {
  if (!text.startsWith('/')) return 'what it leads from must be a path that begins with a slash';
  if (/[?#]/.test(text)) return 'what it leads from is a path without query and fragment';
  const path = parsePath(text.replaceAll(/[^\x21-\x7e]+/g, encodeURIComponent));
  if (isBadPath(path)) return `what it leads from is no path: ${path.why}`;
  const names = new Set<string>(); // BOUNDED by the length of the line
  const parts: FromPart[] = [];
  for (const [i, segment] of path.segments.entries()) {
    const isLast = i === path.segments.length - 1;
    const placeholder = segment === '*' && isLast ? 'splat' : placeholderIn(segment);
    if (placeholder === undefined && segment.includes('*')) {
      return 'an asterisk stands alone, after the last slash';
    }
    if (placeholder === undefined) parts.push(segment);
    else if (names.has(placeholder)) return `it has ${quote(`:${placeholder}`)} twice`;
    else if (segment !== '*') parts.push({ placeholder });
    if (placeholder !== undefined) names.add(placeholder);
  }
  if (names.has('splat') && path.segments.at(-1) !== '*')
    return ':splat is what the asterisk means';
  return { parts, names };
}

function placeholderIn(segment: string): string | undefined {
  return /^:([A-Za-z]\w*)$/.exec(segment)?.[1];
}

type To = Pick<Rule, 'to' | 'origin' | 'hasQuery'>;

function parseTo(text: string, names: ReadonlySet<string>): To | string {
  const [, origin = '', rest = ''] = /^(https?:\/\/[^/?#]*)?(.*)$/is.exec(text) ?? [];
  if (origin === '' && !rest.startsWith('/')) {
    return 'it must lead to a path that begins with a slash, or to an http or https address';
  }
  if (origin !== '' && !isPlainOrigin(origin)) {
    return `${quote(origin)} cannot be led to: the host must be spelled out, without user`;
  }
  const to: ToPart[] = [];
  const safe = rest
    .replaceAll(/[^\x21-\x7e]+/g, encodeURIComponent)
    .replaceAll(/["<>\\^`{|}]/g, encodeURIComponent);
  let at = 0;
  for (const { 0: match, 1: name = '', index } of safe.matchAll(/:([A-Za-z]\w*)/g)) {
    if (!names.has(name)) continue; // such as "/wiki/Talk:Page"
    to.push(safe.slice(at, index), { placeholder: name });
    at = index + match.length;
  }
  to.push(safe.slice(at));
  return { to, origin, hasQuery: rest.split('#', 1)[0]?.includes('?') ?? false };
}

function isPlainOrigin(origin: string): boolean {
  if (!URL.canParse(origin)) return false;
  const { username, password, hostname } = new URL(origin);
  return username === '' && password === '' && hostname !== '' && !/@|[^\x21-\x7e]/.test(origin);
}

/**
 * The first rule for a path, filled in. One that would lead back to the very path that was asked
 * for is passed over: there is nothing at that path.
 */
export function followRedirects({ rules }: Redirects, path: SitePath): Hit | undefined {
  let deadEnds = 0;
  for (const rule of rules) {
    if (!isMatch(rule, path)) continue;
    const hit = fillIn(rule, valuesOf(rule, path), path.query);
    if (hit && !isSamePlace(hit, path)) return hit;
    if (++deadEnds === deadEndsMax) return undefined;
  }
  return undefined;
}

/** A slash at the end makes no difference. */
function isMatch({ from, hasSplat }: Rule, { segments }: SitePath): boolean {
  if (hasSplat ? segments.length < from.length : segments.length !== from.length) return false;
  return from.every((part, i) => typeof part !== 'string' || part === segments[i]);
}

/** The values of the placeholders, as they stand in a URL. */
function valuesOf(
  { from, hasSplat }: Rule,
  { segments, slash }: SitePath,
): ReadonlyMap<string, string> {
  const values = new Map<string, string>(); // BOUNDED by the parts of the rule
  for (const [i, part] of from.entries()) {
    if (typeof part !== 'string') {
      values.set(part.placeholder, encodeURIComponent(segments[i] ?? ''));
    }
  }
  if (hasSplat) {
    const rest = segments.slice(from.length).map(encodeURIComponent).join('/');
    values.set('splat', slash && rest !== '' ? `${rest}/` : rest);
  }
  return values;
}

/** Undefined when it becomes no path, or too long a one. */
function fillIn(
  { to, origin, hasQuery, status }: Rule,
  values: ReadonlyMap<string, string>,
  query: string,
): Hit | undefined {
  let filled = '';
  for (const part of to) {
    filled += typeof part === 'string' ? part : (values.get(part.placeholder) ?? '');
    if (filled.length > filledCharsMax) return undefined;
  }
  const [target, fragment] = splitOnce(filled, '#');
  const whole = hasQuery ? target : `${target}${query}`;
  const end = fragment === undefined ? '' : `#${fragment}`;
  if (origin !== '') {
    // A path of its own, so that nothing that is filled in can become part of the host.
    const rest = whole.startsWith('/') ? whole : `/${whole}`;
    return redirectTo(status, `${origin}${rest}${end}`, undefined);
  }
  const path = parsePath(whole);
  if (isBadPath(path)) return undefined;
  return isPageStatus(status)
    ? { kind: 'page', status, path }
    : redirectTo(status, `${formatPath(path)}${end}`, path);
}

function redirectTo(status: Status, location: string, path: SitePath | undefined): Hit | undefined {
  return isPageStatus(status) ? undefined : { kind: 'redirect', status, location, path };
}

function isPageStatus(status: Status): status is PageStatus {
  return pageStatuses.has(status);
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)];
}

function isSamePlace(hit: Hit, { segments }: SitePath): boolean {
  const to = hit.path?.segments;
  return to?.length === segments.length && to.every((name, i) => name === segments[i]);
}
