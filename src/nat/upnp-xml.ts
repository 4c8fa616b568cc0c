/**
 * The little that is read of a router's XML, and what is written to it. No XML parser is used: a
 * hostile description may hold anything, and all that is wanted are a few texts between two tags.
 * Each step takes time in proportion to the length, which small-http.ts bounds.
 */
import { routerUrl } from './url.ts';

/** What answers SOAP: where, and under which name. */
export interface SoapService {
  readonly type: string;
  readonly control: URL;
}

/** Best first: all understand the same requests. */
const serviceTypes = ['WANIPConnection:2', 'WANIPConnection:1', 'WANPPPConnection:1'].map(
  (name) => `urn:schemas-upnp-org:service:${name}`,
);
const servicesMax = 64;

/** The service of a gateway that maps ports; undefined where the gateway itself has none. */
export function parseDescription(
  text: string,
  { location, gateway }: { readonly location: URL; readonly gateway: string },
): SoapService | undefined {
  const base = textOf(text, 'URLBase');
  const root = (base && routerUrl(base, gateway)) || location;
  const services = text
    .split('</service>', servicesMax)
    .flatMap((part): SoapService[] => {
      const [type, path] = [textOf(part, 'serviceType'), textOf(part, 'controlURL')];
      const control = path === undefined ? undefined : routerUrl(path, gateway, root);
      return type !== undefined && control ? [{ type, control }] : [];
    })
    .filter(({ type }) => serviceTypes.includes(type));
  return services.toSorted((a, b) => rank(a) - rank(b))[0];
}

function rank({ type }: SoapService): number {
  return serviceTypes.indexOf(type);
}

/** What stands last between <tag> and </tag>, without markup; undefined where nothing does. */
export function textOf(text: string, tag: string): string | undefined {
  const open = text.lastIndexOf(`<${tag}>`);
  if (open < 0) return undefined;
  const from = open + tag.length + 2;
  const to = text.indexOf('<', from);
  if (to < 0 || !text.startsWith(`</${tag}>`, to)) return undefined;
  const found = text.slice(from, to).trim();
  return found === '' ? undefined : found.replaceAll('&amp;', '&');
}

/** UPnP's number of what went wrong, where the answer tells one. */
export function errorCodeOf(text: string): number | undefined {
  const code = textOf(text, 'errorCode');
  return code !== undefined && /^\d{1,4}$/.test(code) ? Number(code) : undefined;
}

/** Arguments are numbers and addresses of our own: none holds markup. */
export function soapBody(
  type: string,
  action: string,
  args: readonly (readonly [string, string | number])[],
): string {
  const inner = args.map(([name, value]) => `<${name}>${value}</${name}>`).join('');
  return [
    '<?xml version="1.0"?>',
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"',
    ' s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>',
    `<u:${action} xmlns:u="${type}">${inner}</u:${action}>`,
    '</s:Body></s:Envelope>',
  ].join('');
}
