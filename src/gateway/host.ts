/**
 * Which site a Host header names (docs/spec/http.md, "Hosts"). Pure: it knows the forms of names,
 * not whether anybody holds them.
 */
import { domainToASCII } from 'node:url';
import type { CID } from 'multiformats/cid';
import { parseIp, scopeOf } from '../base/address.ts';
import { isAltNetError } from '../base/errors.ts';
import { parseRoot } from '../content/dag/root.ts';

/** Under which ending this client reaches sites: the one its own request came in with. */
export type Ending = 'localhost' | 'alt';

export type HostTarget =
  /** The gateway itself: its front page and the redirects. `ending`: where to send the browser. */
  | { readonly kind: 'gateway'; readonly ending: Ending }
  /** A name ("alice"), one below a name ("blog.alice") or a key name, still to be resolved. */
  | { readonly kind: 'name'; readonly label: string; readonly ending: Ending }
  | { readonly kind: 'root'; readonly root: CID }
  /** A site that lives under another host: browsers are sent there, so that it has one origin. */
  | { readonly kind: 'moved'; readonly host: string }
  /** More labels than a name can have below it, or one below a root. */
  | { readonly kind: 'subdomain'; readonly name: string }
  /** Not ours: answering would let a foreign site that was pointed here act under its own name. */
  | { readonly kind: 'foreign' }
  | { readonly kind: 'malformed' };

export interface Authority {
  readonly target: HostTarget;
  /** ":8080", or '' for the scheme's own port. */
  readonly port: string;
}

const labelCharsMax = 63;
const malformed: Authority = { target: { kind: 'malformed' }, port: '' };

/** `text` is a Host header or the authority of an absolute URL; undefined when there was none. */
export function parseAuthority(text: string | undefined): Authority {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]+))(:\d{1,5})?$/i.exec(text ?? '');
  if (!match) return malformed;
  const [, ipv6, name, port = ''] = match;
  const host = (ipv6 ?? name ?? '').toLowerCase().replace(/\.$/, '');
  return { target: targetOf(host), port };
}

function targetOf(host: string): HostTarget {
  if (host === 'localhost') return { kind: 'gateway', ending: 'localhost' };
  const ip = parseIp(host);
  // An address cannot be pointed elsewhere, so any of this machine's is as good as localhost.
  if (ip) return { kind: 'gateway', ending: scopeOf(ip) === 'loopback' ? 'localhost' : 'alt' };
  const labels = host.split('.');
  const ending = labels.pop();
  if (!labels.every(isLabel)) return { kind: 'malformed' };
  if (ending === 'localhost') return localTarget(labels);
  if (ending === 'alt') return siteTarget(labels, 'alt');
  return { kind: 'foreign' };
}

/**
 * NAME.alt.localhost and CID.ipfs.localhost are spelled by people and other programs, but all names
 * below one parent share its cookies: they move to where each stands alone.
 */
function localTarget(labels: readonly string[]): HostTarget {
  const parent = labels.at(-1);
  const site = labels.slice(0, -1);
  const [label = ''] = site;
  if (parent === 'alt' && site.length === 2)
    return { kind: 'moved', host: `${site.join('.')}.localhost` };
  const movable = parent === 'alt' || (parent === 'ipfs' && rootOfLabel(label) !== undefined);
  if (site.length !== 1 || !movable) return siteTarget(labels, 'localhost');
  return { kind: 'moved', host: `${canonicalLabel(label)}.localhost` };
}

function siteTarget(labels: readonly string[], ending: Ending): HostTarget {
  const label = labels.at(-1);
  if (label === undefined) return { kind: 'foreign' }; // "alt" alone
  const root = rootOfLabel(label);
  if (labels.length > 2 || (root && labels.length > 1)) return { kind: 'subdomain', name: label };
  // Below a name: who holds that owns them all, so they may share its cookies.
  if (labels.length === 2) return { kind: 'name', label: labels.join('.'), ending };
  if (!root) return { kind: 'name', label, ending };
  const canonical = root.toString();
  return label === canonical
    ? { kind: 'root', root }
    : { kind: 'moved', host: `${canonical}.${ending}` };
}

/** Letters, digits and inner hyphens, lower case, 1 to 63 characters. */
export function isLabel(text: string): boolean {
  return text.length <= labelCharsMax && /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/.test(text);
}

function rootOfLabel(label: string): CID | undefined {
  return label.length > 40 ? tryParseRoot(label) : undefined; // shorter than any CID
}

/** The root that `text` spells, in any of the forms that people copy; undefined for others. */
export function tryParseRoot(text: string): CID | undefined {
  for (const form of new Set([text, text.toLowerCase()])) {
    try {
      return parseRoot(form);
    } catch (error) {
      if (!isAltNetError(error, 'BAD_ROOT')) throw error;
    }
  }
  return undefined;
}

function canonicalLabel(label: string): string {
  return rootOfLabel(label)?.toString() ?? label;
}

/**
 * The label, or two, under which a browser opens `text`, which is a name with or without ".alt", in
 * any script, or a root; undefined when it can be neither.
 */
export function labelOf(text: string): string | undefined {
  const root = tryParseRoot(text);
  if (root) return root.toString();
  const host = domainToASCII(text).replace(/\.$/, '');
  const name = host.replace(/\.alt$/, '');
  const labels = name.split('.');
  // Without its ending, a name below one would look like a host of the other web.
  const labelsMax = host === name ? 1 : 2;
  return labels.length <= labelsMax && labels.every(isLabel) ? name : undefined;
}
