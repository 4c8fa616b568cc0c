/**
 * Which site a TLS client asks for by its server name, so that nothing is ever signed outside the
 * ending of the authority (docs/spec/ca.md, "Which names"). Pure.
 */
import { otherSystems } from '../base/other-systems.ts';

const hostCharsMax = 253;
const labelCharsMax = 63;

/**
 * "alice.alt" for "alice.alt" and for one label below it, which its certificate covers too;
 * undefined for every other name. Case does not count; a dot at the end is no part of a server name
 * (RFC 6066, §3).
 */
export function siteOfHost(host: string, tld: string): string | undefined {
  if (host.length > hostCharsMax) return undefined;
  const labels = host.toLowerCase().split('.');
  const ending = labels.pop();
  const site = labels.at(-1);
  if (ending !== tld || site === undefined || labels.length > 2) return undefined;
  // Who could sign for names of other systems could pass for them in a browser.
  if (!labels.every(isLabel) || otherSystems.has(site)) return undefined;
  return `${site}.${tld}`;
}

/** Letters, digits and inner hyphens: no wildcard, no address, nothing that needs escaping. */
function isLabel(text: string): boolean {
  return text.length <= labelCharsMax && /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/.test(text);
}
