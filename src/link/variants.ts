/**
 * Other spellings under which somebody may have announced alternatives for the same page. Pure; a
 * guess at what people paste, so it is tried only after the URL itself brought nothing.
 */
import { canonicalUrl } from '../record/url.ts';

/** Each is a search of its own. */
export const variantsMax = 3;

/** Parameters that tell where a reader came from, not what is shown. */
const trackingParameter = /^(utm_\w+|fbclid|gclid|dclid|msclkid|yclid|igshid|mc_cid|mc_eid|_ga)$/i;

/** URLs of other canonical forms, at most `variantsMax`, likeliest first. Throws BAD_URL. */
export function urlVariants(text: string): readonly string[] {
  const { canonical, scheme } = canonicalUrl(text);
  const url = `${scheme}:${canonical}`;
  const plain = withoutTracking(url);
  const seen = new Set([canonical]);
  const variants: string[] = []; // BOUNDED by variantsMax
  for (const candidate of [plain, withOtherHost(plain), withOtherHost(url)]) {
    const form = formOf(candidate);
    if (form === undefined || seen.has(form)) continue;
    seen.add(form);
    variants.push(`${scheme}:${form}`);
  }
  return variants;
}

/** The other parameters keep their spelling, which is part of the form. */
function withoutTracking(url: string): string {
  const [path = '', query] = url.split(/\?(.*)/, 2);
  if (query === undefined) return url;
  const kept = query.split('&').filter((part) => !trackingParameter.test(part.replace(/=.*/, '')));
  return kept.length === 0 ? path : `${path}?${kept.join('&')}`;
}

/** With "www." where there was none, and the other way round; addresses have no such twin. */
function withOtherHost(url: string): string | undefined {
  const { hostname, host } = new URL(url);
  if (hostname.startsWith('[') || /^[\d.]+$/.test(hostname)) return undefined;
  if (/^www\..+\../.test(hostname)) return url.replace('//www.', '//');
  return hostname.includes('.') ? url.replace(`//${host}`, `//www.${host}`) : undefined;
}

function formOf(url: string | undefined): string | undefined {
  try {
    return url === undefined ? undefined : canonicalUrl(url).canonical;
  } catch {
    return undefined; // "www." can make a host or URL too long
  }
}
