/** In which encodings a client takes a body, and which bodies are worth one. Pure. */
import { LruMap } from '../base/limits.ts';

export type Encoding = 'zstd' | 'br' | 'gzip';

export interface Accepted {
  /** Those that the client takes, the best first. */
  readonly encodings: readonly Encoding[];
  /** Equal for clients that get the same bytes. '': none. */
  readonly key: string;
}

/** How the sibling of a file is called that is the file in this encoding, smallest first. */
export const siblingEndings: ReadonlyMap<Encoding, string> = new Map([
  ['br', '.br'],
  ['zstd', '.zst'],
  ['gzip', '.gz'],
]);

export const nothingAccepted: Accepted = { encodings: [], key: '' };

/** What is quickest for how small it gets comes first where the client does not mind. */
const byMerit: readonly Encoding[] = ['zstd', 'br', 'gzip'];

const headerCharsMax = 200;
const headersMax = 256;
const known = new LruMap<string, Accepted>(headersMax); // BOUNDED by its size

/** Reads Accept-Encoding. What is not named is not taken, whatever `*` says: plain bytes will do. */
export function parseAcceptEncoding(header: string | undefined): Accepted {
  if (header === undefined || header.length > headerCharsMax) return nothingAccepted;
  const before = known.peek(header); // the first in may be the first out
  if (before) return before;
  const weights = new Map<string, number>(); // BOUNDED by headerCharsMax
  for (const item of header.toLowerCase().split(',')) {
    const [name = '', ...parameters] = item.split(';').map((part) => part.trim());
    weights.set(name, weightOf(parameters));
  }
  const weightFor = (encoding: Encoding): number => weights.get(encoding) ?? 0;
  const encodings = byMerit
    .filter((encoding) => weightFor(encoding) > 0)
    .toSorted((a, b) => weightFor(b) - weightFor(a));
  const accepted = { encodings, key: encodings.join() };
  known.set(header, accepted);
  return accepted;
}

function weightOf(parameters: readonly string[]): number {
  const q = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
  if (q === undefined) return 1;
  return /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(q) ? Number(q) : 0;
}

/** Types that are text at heart; pictures, sound and archives are packed already. */
export function isCompressible(mediaType: string): boolean {
  const [name = ''] = mediaType.split(';', 1);
  return compressible.has(name) || /^(?:text|model)\/|\+(?:json|xml)$/.test(name);
}

const compressible: ReadonlySet<string> = new Set([
  'application/javascript',
  'application/json',
  'application/rtf',
  'application/sql',
  'application/toml',
  'application/vnd.ms-fontobject',
  'application/wasm',
  'application/xml',
  'application/yaml',
  'font/collection',
  'font/otf',
  'font/ttf',
  'image/bmp',
  'image/vnd.microsoft.icon',
  'image/x-icon',
]);
