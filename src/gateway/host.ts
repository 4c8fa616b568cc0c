/**
 * Which site a Host header names (docs/spec/http.md, "Hosts"). Pure: it knows the forms of names,
 * not whether anybody holds them.
 */
import { domainToASCII } from 'node:url';
import type { CID } from 'multiformats/cid';
import { parseIp, scopeOf } from '../base/address.ts';
import { isAltNetError } from '../base/errors.ts';
import { otherSystems } from '../base/other-systems.ts';
import { parseRoot } from '../content/dag/root.ts';

/**
 * Under which ending this client reaches sites, the one its own request came in with: "localhost",
 * or the ending of names ("alt", unless the node was given another).
 */
export type Ending = string;

/**
 * The gateway's own label below the ending of names, for who cannot call it localhost: it is
 * reserved, so it can never be the name of a site.
 */
export const frontLabel = 'localhost';

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
  /** Of another system that uses the same ending. */
  | { readonly kind: 'other-system'; readonly host: string }
  /** Not ours: answering would let a foreign site that was pointed here act under its own name. */
  | { readonly kind: 'foreign' }
  | { readonly kind: 'malformed' };

export interface Authority {
  readonly target: HostTarget;
  /** As it is compared: lower case, without the dot at its end; '' for what is none. */
  readonly host: string;
  /** ":8080", or '' for the scheme's own port. */
  readonly port: string;
}

const labelCharsMax = 63;
const malformed: Authority = { target: { kind: 'malformed' }, host: '', port: '' };

/**
 * `text` is a Host header or the authority of an absolute URL, undefined when there was none; `tld`
 * the ending of names.
 */
export function parseAuthority(text: string | undefined, tld: string = 'alt'): Authority {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]+))(:\d{1,5})?$/i.exec(text ?? '');
  if (!match) return malformed;
  const [, ipv6, name, port = ''] = match;
  const host = (ipv6 ?? name ?? '').toLowerCase().replace(/\.$/, '');
  return { target: targetOf(host, tld), host, port };
}

function targetOf(host: string, tld: string): HostTarget {
  if (host === 'localhost') return { kind: 'gateway', ending: 'localhost' };
  const ip = parseIp(host);
  // An address cannot be pointed elsewhere, so any of this machine's is as good as localhost.
  if (ip) return { kind: 'gateway', ending: scopeOf(ip) === 'loopback' ? 'localhost' : tld };
  const labels = host.split('.');
  const ending = labels.pop();
  if (!labels.every(isLabel)) return { kind: 'malformed' };
  if (ending === 'localhost') return localTarget(labels, tld);
  if (ending !== tld) return { kind: 'foreign' };
  if (otherSystems.has(labels.at(-1) ?? '')) return { kind: 'other-system', host };
  const isFront = labels.length === 1 && labels[0] === frontLabel;
  return isFront ? { kind: 'gateway', ending: tld } : siteTarget(labels, tld);
}

/**
 * NAME.alt.localhost and CID.ipfs.localhost are spelled by people and other programs, but all names
 * below one parent share its cookies: they move to where each stands alone.
 */
function localTarget(labels: readonly string[], tld: string): HostTarget {
  const parent = labels.at(-1);
  const site = labels.slice(0, -1);
  const [label = ''] = site;
  if (parent === tld && site.length === 2)
    return { kind: 'moved', host: `${site.join('.')}.localhost` };
  const movable = parent === tld || (parent === 'ipfs' && rootOfLabel(label) !== undefined);
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

/**
 * A link to the gateway's own page from one that is shown under this host: by the same scheme and
 * way in, or to where the connection arrived, such as "127.0.0.1:8080", from a host of others.
 */
export function frontLinkOf(
  { target, host, port }: Authority,
  { tld, arrivedAt }: { readonly tld: string; readonly arrivedAt: string },
): string {
  if (target.kind === 'gateway') return '/';
  if (host.endsWith('.localhost')) return `//localhost${port}/`;
  return host.endsWith(`.${tld}`) ? `//${frontLabel}.${tld}${port}/` : `//${arrivedAt}/`;
}

/**
 * Whether two hosts show the same site, or ones below the same name: a connection that was made for
 * one may carry requests for the other.
 */
export function isOfSameSite(a: string, b: string): boolean {
  return a === b || siteOf(a) === siteOf(b);
}

function siteOf(host: string): string {
  return host.split('.').slice(-2).join('.');
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
 * The label, or two, under which a browser opens `text`, which is a name with or without its
 * ending, in any script, or a root; undefined when it can be neither. Everywhere but in hosts names
 * are written with ".alt", so that is understood whatever the ending is.
 */
export function labelOf(text: string, tld: string = 'alt'): string | undefined {
  const root = tryParseRoot(text);
  if (root) return root.toString();
  const host = domainToASCII(text).replace(/\.$/, '');
  const ending = [`.${tld}`, '.alt'].find((one) => host.endsWith(one)) ?? '';
  const name = host.slice(0, host.length - ending.length);
  const labels = name.split('.');
  // Without its ending, a name below one would look like a host of the other web.
  const labelsMax = host === name ? 1 : 2;
  return labels.length <= labelsMax && labels.every(isLabel) ? name : undefined;
}
