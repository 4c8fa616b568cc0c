/**
 * What keeps a request from any site at all: its host, its proxy, its protocol (docs/spec/http.md,
 * "Errors"). `tld` is the ending of names.
 */
import type { Problem } from './problem.ts';

const checkSpelling = 'Check the spelling of the address.';

export const doorProblems = {
  foreignHost: (tld: string): Problem => ({
    status: 421,
    title: 'This gateway does not serve that host',
    text: 'The request names a host that is not on AltNet. It may have been led here by mistake, or by a site that wants to act as another one.',
    advice: [
      'Open a site as NAME.localhost, with the port of this gateway.',
      `Open NAME.${tld} if this machine asks AltNet for .${tld} names.`,
    ],
  }),
  noOwnPage: (path: string, tld: string): Problem => ({
    status: 404,
    title: 'The gateway itself has no such page',
    text: `There is nothing at ${path}. Each site has a host of its own, in place of this one.`,
    advice: [
      `Open alice.${tld} as alice.localhost, with the port of this gateway.`,
      { text: 'Or type its name at the front page of the gateway.', href: '/' },
    ],
  }),
  misdirected: (): Problem => ({
    status: 421,
    title: 'This connection is for another site',
    text: 'The request names another host than the one that the connection was made for.',
    advice: ['Open the address again: a browser then makes a connection of its own for it.'],
  }),
  subdomain: (name: string, tld: string): Problem => ({
    status: 404,
    title: 'That is no name',
    text: `Before a name like alice.${tld} stands at most one more part, as in blog.alice.${tld}, and none before a root.`,
    advice: [checkSpelling, `Open ${name}.${tld} itself.`],
  }),
  otherSystem: (host: string): Problem => ({
    status: 404,
    title: `${host} is not on AltNet`,
    text: 'Another system uses the names below gns.alt and i2p.alt. AltNet leaves them alone: nobody can register them here.',
    advice: ['Open the address with that system (GNUnet or I2P).'],
  }),
  notProxied: (tld: string): Problem => ({
    status: 403,
    title: `This proxy leads to .${tld} alone`,
    text: `The request asks for a host that does not end in .${tld}. This gateway passes nothing on to other hosts.`,
    advice: [
      `Use the proxy for .${tld} hosts only: /proxy.pac on this gateway tells a browser so.`,
    ],
  }),
  embedded: (): Problem => ({
    status: 403,
    title: 'Pages elsewhere cannot embed this',
    text: 'A page that is not on AltNet has your browser load this without asking you. What is opened here is fetched by your node and passed on to others, so it is opened only by you, or by sites on AltNet.',
    advice: ['Open the address itself, by a link or in the address bar.'],
  }),
  noCertificates: (): Problem => ({
    status: 502,
    title: 'This node has no certificates',
    text: 'The request asks for HTTPS, and there is no certificate authority on this node that could vouch for sites.',
    advice: ['Open the address with http instead.', 'Or run: altnet setup ca'],
  }),
  tooManyTunnels: (): Problem => ({
    status: 503,
    title: 'Too much at once',
    text: 'This gateway holds as many tunnels as it can.',
    advice: ['Try again in a moment.'],
  }),
  webSocket: (): Problem => ({
    status: 501,
    title: 'There are no WebSockets here',
    text: 'A site on AltNet is a set of files: there is no server behind it that could talk.',
    advice: ['Load what you need as a file.'],
  }),
} as const;
