/** Addresses as routers write them into their answers and descriptions. */

/** Longer ones are not followed. */
const urlCharsMax = 512;

/** The absolute URL; undefined unless it is plain HTTP at `gateway`, an IPv4 address. */
export function routerUrl(text: string, gateway: string, base?: URL): URL | undefined {
  const url = text.length > urlCharsMax ? null : URL.parse(text, base?.href);
  return url && isAtRouter(url, gateway) ? url : undefined;
}

export function isAtRouter({ protocol, hostname, username }: URL, gateway: string): boolean {
  return protocol === 'http:' && hostname === gateway && username === '';
}
