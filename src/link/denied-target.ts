/**
 * Whether a link leads to what is denied: content by its root, path or SHA-256, a name, or a URL,
 * in whatever spelling its target has. Pure; what is denied, others know.
 */
import { base32 } from 'multiformats/bases/base32';
import { base36 } from 'multiformats/bases/base36';
import { base58btc } from 'multiformats/bases/base58';
import { CID } from 'multiformats/cid';
import { type Bytes, toHex } from '../base/bytes.ts';
import { contentDenied, type Denials, nameDenied, noDenials } from '../base/denial.ts';
import { AltNetError, isAltNetError } from '../base/errors.ts';
import { parseKeyName, parseLabel } from '../record/label.ts';
import { pkNameKey } from '../record/pkname.ts';
import { isSha256Multihash } from '../record/root.ts';
import { canonicalUrl } from '../record/url.ts';
import { nameKey, openZone } from '../record/zone.ts';
import type { Link } from './types.ts';

/** What is asked, and of which registrars names may be. */
export interface TargetDenials {
  readonly denials: Denials;
  /** Public keys; names of the open zone are looked at besides. */
  readonly zones: () => readonly Bytes[];
}

export const noTargetDenials: TargetDenials = { denials: noDenials, zones: () => [] };

/** What a target leads to, as far as its spelling tells. */
interface Place {
  readonly root?: Bytes | undefined;
  /** Below the root, decoded. */
  readonly path: string;
  /** With or without ".alt", perhaps below another one. */
  readonly name?: string | undefined;
}

type Denied = AltNetError | undefined;

/** Why nobody is led there: CONTENT_…, NAME_… or URL_BLOCKED; undefined when nothing is denied. */
export function deniedTarget(
  { target, sha256 }: Pick<Link, 'target' | 'sha256'>,
  lists: TargetDenials,
): Denied {
  const { denials } = lists;
  if (denials.isEmpty) return undefined;
  const said = sha256 && denials.ofBlock(sha256);
  if (sha256 && said) return contentDenied(said, { root: toHex(sha256) });
  return deniedUrl(target, denials) ?? deniedPlace(placeOf(target), lists);
}

/** A URL of the web by its canonical form. */
export function deniedUrl(url: string, denials: Pick<Denials, 'ofUrl'>): Denied {
  const canonical = canonicalOf(url);
  if (canonical === undefined || !denials.ofUrl(canonical)) return undefined;
  return new AltNetError('URL_BLOCKED', { url });
}

function deniedPlace({ root, path, name }: Place, { denials, zones }: TargetDenials): Denied {
  const content = root && denials.ofPath(root, path);
  if (root && content) return contentDenied(content, { root: toHex(root), path });
  const label = name
    ?.replace(/\.alt$/i, '')
    .split('.')
    .at(-1)
    ?.toLowerCase();
  if (label === undefined) return undefined;
  for (const key of keysOf(label, zones())) {
    const denial = denials.ofName({ label: finalForm(label), key });
    if (denial) return nameDenied(denial, `${label}.alt`);
  }
  return undefined;
}

function finalForm(label: string): string {
  const parsed = parseLabel(label);
  return parsed.ok ? parsed.label : label;
}

/** Where its records are: nobody who follows a link says in which zone. */
function keysOf(label: string, zones: readonly Bytes[]): readonly Bytes[] {
  const owner = parseKeyName(label);
  if (owner) return [pkNameKey(owner)];
  return [openZone, ...zones].map((zone) => nameKey(finalForm(label), zone));
}

const nowhere: Place = { path: '' };

/**
 * ipfs://CID/path, dweb:/ipfs/CID/path, ipns://NAME.alt, https://gateway/ipfs/CID/path,
 * http://NAME.alt/, http://NAME.localhost:8080/, https://CID.ipfs.gateway/path and the like.
 */
function placeOf(target: string): Place {
  const [, scheme = '', rest = ''] = /^([a-z][a-z0-9+.-]*):\/*([^?#]*)/i.exec(target) ?? [];
  const [first = '', ...segments] = rest.split('/').filter((segment) => segment !== '');
  if (!/^https?$/i.test(scheme)) {
    const all = [first, ...segments];
    return placeOfPath(all) ?? placeOfScheme(scheme, all);
  }
  const host = first.replace(/^.*@|:\d*$/g, '').replace(/\.$/, '');
  return (
    placeOfHost(host, segments) ??
    placeOfPath(segments) ??
    placeOfGateway(host, segments) ??
    nowhere
  );
}

/** A site under a host of its own. */
function placeOfHost(host: string, segments: readonly string[]): Place | undefined {
  const labels = host.split('.');
  const root = rootOf(labels.find((label) => rootOf(label)) ?? '');
  if (root) return { root, path: pathOf(segments) };
  const ending = labels.at(-1)?.toLowerCase();
  if ((ending !== 'alt' && ending !== 'localhost') || labels.length < 2) return undefined;
  return { name: labels.slice(0, -1).join('.'), path: pathOf(segments) };
}

/** /ipfs/CID/path wherever it begins, or /ipns/NAME.alt. */
function placeOfPath(segments: readonly string[]): Place | undefined {
  for (const [i, segment] of segments.entries()) {
    const root = /^(?:ipfs|ipld)$/i.test(segment) ? rootOf(segments[i + 1] ?? '') : undefined;
    if (root) return { root, path: pathOf(segments.slice(i + 2)) };
  }
  const [first = '', name = ''] = segments;
  const isName = /^ipns$/i.test(first) && (/\.alt$/i.test(name) || parseKeyName(name));
  return isName ? { name: decoded(name), path: pathOf(segments.slice(2)) } : undefined;
}

/** /n/NAME on a gateway of this machine; elsewhere that may be anything. */
function placeOfGateway(
  host: string,
  [first, name, ...rest]: readonly string[],
): Place | undefined {
  const isLocal = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/i.test(host);
  if (!isLocal || first !== 'n' || name === undefined) return undefined;
  return { name: decoded(name), path: pathOf(rest) };
}

/** What stands behind the scheme is the root or the name itself. */
function placeOfScheme(scheme: string, [first = '', ...segments]: readonly string[]): Place {
  const root = rootOf(first);
  if (root) return { root, path: pathOf(segments) };
  const isName = /^(?:ipns|alt|altnet)$/i.test(scheme) || /\.alt$/i.test(first);
  return isName ? { name: decoded(first), path: pathOf(segments) } : nowhere;
}

const cidCharsMin = 40;
const cidCharsMax = 128;

/** The SHA-256 that a CID or 64 hex digits stand for; hosts are written in lower case. */
function rootOf(text: string): Bytes | undefined {
  if (/^[0-9a-f]{64}$/i.test(text)) return Uint8Array.from(Buffer.from(text, 'hex'));
  if (text.length < cidCharsMin || text.length > cidCharsMax) return undefined;
  return digestOf(text) ?? digestOf(text.toLowerCase());
}

function digestOf(text: string): Bytes | undefined {
  try {
    const { multihash } = CID.parse(text, base32.decoder.or(base36.decoder).or(base58btc.decoder));
    return isSha256Multihash(multihash.bytes) ? multihash.digest : undefined;
  } catch {
    return undefined;
  }
}

function pathOf(segments: readonly string[]): string {
  return segments.map(decoded).join('/');
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

function canonicalOf(url: string): string | undefined {
  try {
    return canonicalUrl(url).canonical;
  } catch (error) {
    if (!isAltNetError(error, 'BAD_URL')) throw error;
    return undefined;
  }
}
