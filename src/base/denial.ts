/**
 * Whether something may be had here: the question that every part asks before it stores, serves,
 * announces, resolves or shows anything (docs/spec/trust.md). Who is trusted and what stands in
 * which list is the business of `trust`, which answers it.
 */
import { type Bytes, toHex } from './bytes.ts';
import { AltNetError } from './errors.ts';

/** Why not. */
export interface Denial {
  /** revoked: by a revoker whom this node trusts. blocked: by its own operator. */
  readonly why: 'revoked' | 'blocked';
  /** Of a revocation: the revoker's public key, 32 bytes. */
  readonly by?: Bytes | undefined;
}

/** A name as it is looked for. */
export interface NameInQuestion {
  /** Without ".alt" and what stands below it: "alice". A key name: its 56 characters. */
  readonly label: string;
  /** Where its record is in the DHT, 32 bytes: another one in each zone. */
  readonly key: Bytes;
}

/** Answers from memory, in microseconds, and never throws. Undefined: nothing is against it. */
export interface Denials {
  /** Nothing at all is denied: who would have to take something apart in order to ask need not. */
  readonly isEmpty: boolean;
  /** A block by its SHA-256, 32 bytes; the root of a site is one. Asked for each block. */
  ofBlock(hash: Bytes): Denial | undefined;
  /** A path below a root, "a/b.html", decoded; also when the root or one of its folders is denied. */
  ofPath(root: Bytes, path: string): Denial | undefined;
  ofName(name: NameInQuestion): Denial | undefined;
  /** A canonical URL (docs/spec/links.md), as the dead one or as a target. */
  ofUrl(canonical: string): Denial | undefined;
  /** Called after something was denied or allowed anew. Gives back how to stop it. */
  onChange(listener: () => void): () => void;
}

const nothing = (): undefined => undefined;

/** Denies nothing: what a part that was given no lists uses. */
export const noDenials: Denials = {
  isEmpty: true,
  ofBlock: nothing,
  ofPath: nothing,
  ofName: nothing,
  ofUrl: nothing,
  onChange: () => nothing,
};

/** Content that cannot be had here, as a caller is told. `root`: its CID or the hex of its hash. */
export function contentDenied(
  { why, by }: Denial,
  about: { readonly root: string; readonly path?: string | undefined },
): AltNetError {
  if (why === 'blocked') return new AltNetError('CONTENT_BLOCKED', about);
  return new AltNetError('CONTENT_REVOKED', { ...about, ...(by && { by: toHex(by) }) });
}

/** A name, with its ending. */
export function nameDenied({ why }: Denial, name: string): AltNetError {
  return new AltNetError(why === 'blocked' ? 'NAME_BLOCKED' : 'NAME_REVOKED', { name });
}

/** Whether an error says that something is denied, and not that it is missing. */
export function isDenied(error: unknown): boolean {
  return error instanceof AltNetError && denialCodes.has(error.code);
}

const denialCodes: ReadonlySet<string> = new Set([
  'NAME_REVOKED',
  'NAME_BLOCKED',
  'CONTENT_REVOKED',
  'CONTENT_BLOCKED',
  'URL_BLOCKED',
]);
