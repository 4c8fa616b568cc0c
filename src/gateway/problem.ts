/**
 * What went wrong, as a person reads it: status, what happened and what to try. One entry per cause
 * (docs/spec/http.md, "Errors").
 */
import type { CID } from 'multiformats/cid';
import { toHex } from '../base/bytes.ts';
import { type AltNetError, type ErrorCode, isAltNetError } from '../base/errors.ts';
import { keyId } from '../identity/key.ts';
import type { ResolvedName } from '../name/types.ts';

export interface Problem {
  readonly status: number;
  readonly title: string;
  /** What happened. */
  readonly text: string;
  /** Values that belong to it, such as key IDs. */
  readonly facts?: readonly string[];
  /** What to try; at least one. */
  readonly advice: readonly Advice[];
}

/** A sentence; one that says to open a page of the same host leads there. */
export type Advice = string | { readonly text: string; readonly href: string };

export function sentenceOf(advice: Advice): string {
  return typeof advice === 'string' ? advice : advice.text;
}

const reload = 'Reload the page in a moment: nodes come and go.';
const checkSpelling = 'Check the spelling of the address.';
const frontOfSite: Advice = { text: 'Start at the front page of the site.', href: '/' };

export const problems = {
  badRequest: (why: string): Problem => ({
    status: 400,
    title: 'That address cannot be read',
    text: `The address asks for something that cannot exist: ${why}.`,
    advice: [checkSpelling],
  }),
  pathTooLong: (why: string): Problem => ({
    status: 414,
    title: 'That address is too long',
    text: `The address is longer than this gateway reads: ${why}.`,
    advice: [checkSpelling],
  }),
  badMethod: (method: string): Problem => ({
    status: 405,
    title: 'Sites can only be read',
    text: `${method} is not possible here: a site on AltNet is a set of files, changed by its author alone.`,
    advice: ['Use GET or HEAD.'],
  }),
  noPath: (path: string): Problem => ({
    status: 404,
    title: 'This site has no such page',
    text: `The site was found, but there is nothing at ${path}.`,
    advice: [checkSpelling, frontOfSite],
  }),
  gone: (path: string): Problem => ({
    status: 410,
    title: 'This page is gone',
    text: `The author of this site has taken down what was at ${path}.`,
    advice: [frontOfSite],
  }),
  withheld: (path: string): Problem => ({
    status: 451,
    title: 'This page is withheld',
    text: `The author of this site does not show what was at ${path}, for legal reasons.`,
    advice: [frontOfSite],
  }),
  badRedirects: ({ line, why }: { readonly line?: number; readonly why: string }): Problem => ({
    status: 500,
    title: 'The redirects of this site cannot be followed',
    text: `There is nothing at this path, and the site's file _redirects, which would say where to go, has a mistake${line === undefined ? '' : ` in line ${line}`}: ${why}.`,
    advice: [checkSpelling, 'If the site is yours, mend the file and publish the site again.'],
  }),
  circle: (): Problem => ({
    status: 500,
    title: 'The redirects of this site lead in a circle',
    text: "The site's file _redirects leads from this path to another one and on, but never to a page.",
    advice: [frontOfSite, 'If the site is yours, mend the file and publish the site again.'],
  }),
  badFormat: (why: string): Problem => ({
    status: 400,
    title: 'That cannot be given in this format',
    text: `The request asks for blocks in a way that does not exist: ${why}.`,
    advice: ['Ask for format=raw or format=car, or leave that out to see the page.'],
  }),
  noName: (name: string): Problem => ({
    status: 404,
    title: `Nobody holds ${name}`,
    text: 'The nodes that would know this name were asked, and it belongs to nobody.',
    advice: [checkSpelling, 'Register it yourself: it is free.'],
  }),
  noNameKnown: (name: string): Problem => ({
    status: 404,
    title: `Nobody holds ${name}, as far as this node knows`,
    text: 'It knows hardly any other node, so next to nobody could be asked.',
    advice: [
      'Start the node with --bootstrap and the address of one that runs; altnet peers shows whom it knows.',
      checkSpelling,
    ],
  }),
  notCertified: (name: string): Problem => ({
    status: 404,
    title: `No registrar has given ${name} to anybody`,
    text: 'This node resolves only names of the registrars that its operator trusts, and none of them knows this one. Elsewhere it may exist.',
    advice: [checkSpelling, 'If you know the root (CID) of the site, open that.'],
  }),
  givenUp: (name: string, freeAt: number): Problem => ({
    status: 404,
    title: `Nobody holds ${name} any more`,
    text: `Its owner gave it up. Others can take it from ${dayOf(freeAt)} on; the owner can have it back until then.`,
    advice: [checkSpelling, 'If you know the root (CID) of the site, open that.'],
  }),
  noNameBelow: (name: string): Problem => ({
    status: 404,
    title: `There is no ${name}`,
    text: 'Nobody holds the name that it stands below, or its owner has not set this one.',
    advice: [checkSpelling, 'Leave out the first part, and start from the name itself.'],
  }),
  contested: (name: string, owners: readonly string[]): Problem => ({
    status: 409,
    title: `${name} is contested`,
    text: `${owners.length} authors claim this name, and none of them has a majority of the nodes that keep it. Nothing is shown, because it could be the wrong one. These are the key IDs of those who claim it:`,
    facts: owners,
    advice: [
      'Ask the author whom you trust for the root (CID) of the site, and open that.',
      'Try again later: the nodes may have come to agree.',
    ],
  }),
  expired: (name: string, expires: number | undefined): Problem => ({
    status: 410,
    title: `${name} has expired`,
    text: `Its author did not renew it${expires === undefined ? '' : ` by ${dayOf(expires)}`}. For 30 days after its end it is kept for that author, and nobody else can take it.`,
    advice: ['Ask the author to renew it.', 'If you know the root (CID) of the site, open that.'],
  }),
  revoked: (name: string): Problem => ({
    status: 410,
    title: `${name} was revoked`,
    text: 'Somebody whom this node trusts to judge this has withdrawn it.',
    advice: ['Ask who runs this node whom it trusts, and why.'],
  }),
  blockedName: (name: string): Problem => ({
    status: 451,
    title: `${name} is not shown here`,
    text: 'Who runs this node has put the name on its blocklist.',
    advice: ['Ask who runs this node why.', 'Other nodes may show it.'],
  }),
  revokedContent: (what: string): Problem => ({
    status: 410,
    title: 'This was revoked',
    text: 'Somebody whom this node trusts to judge this has withdrawn it:',
    facts: [what],
    advice: ['Ask who runs this node whom it trusts, and why.'],
  }),
  blockedContent: (what: string): Problem => ({
    status: 451,
    title: 'This is not shown here',
    text: 'Who runs this node has put it on its blocklist:',
    facts: [what],
    advice: ['Ask who runs this node why.', 'Other nodes may show it.'],
  }),
  tooMuch: (): Problem => ({
    status: 503,
    title: 'Too much at once',
    text: 'This gateway is answering as many requests as it can.',
    advice: [reload],
  }),
  tooOften: (): Problem => ({
    status: 429,
    title: 'Too much from you at once',
    text: 'This gateway has many readers, and your network has asked for more than its share.',
    advice: ['Wait a few seconds, then reload.', 'Run a node of your own: it has no such limit.'],
  }),
  unavailable: (text: string): Problem => ({
    status: 502,
    title: 'The site could not be fetched',
    text: `${capitalised(text)}.`,
    advice: [reload, 'If the site is yours, see that a node that holds it runs.'],
  }),
  tooSlow: (): Problem => ({
    status: 504,
    title: 'No answer in time',
    text: 'The nodes that know the site or hold it did not answer in time.',
    advice: [reload, 'See that this node is connected to others.'],
  }),
  noAnswer: (text: string): Problem => ({
    status: 504,
    title: 'Those who would know do not answer',
    text: `${capitalised(text)}. Nothing is said with that about who holds the name.`,
    advice: [reload, 'See that this node is connected to others.'],
  }),
  diskFull: (): Problem => ({
    status: 507,
    title: 'This node has no space left',
    text: 'What was asked for has to be fetched, and the disk of this node is full. What it holds already can still be opened.',
    advice: ['Free some space on the disk that holds the data folder of this node, then reload.'],
  }),
  storeFull: (): Problem => ({
    status: 507,
    title: 'This node has no room for that site',
    text: 'What was asked for has to be fetched, and it does not fit beside what this node keeps. What it holds already can still be opened.',
    advice: [
      'Start this node with a larger --store-budget, then reload.',
      'Take a site of yours back: altnet sites --own lists them, altnet unpublish does it.',
    ],
  }),
  defect: (): Problem => ({
    status: 500,
    title: 'Something went wrong in this gateway',
    text: 'This should not happen. Its log says more.',
    advice: [reload, 'Please report it if it happens again.'],
  }),
} as const;

/**
 * The problem behind an error of the layers below, or undefined for one that should not occur.
 * `root`: what was asked for, which they know by its hash and people by its CID.
 */
export function problemOfError(error: AltNetError, root?: CID): Problem | undefined {
  if (isAltNetError(error, 'CONTENT_REVOKED')) return problems.revokedContent(placeOf(error));
  if (isAltNetError(error, 'CONTENT_BLOCKED')) return problems.blockedContent(placeOf(error));
  const make = byCode[error.code];
  if (!root) return make?.(error.message);
  const hash = toHex(root.multihash.digest);
  return make?.(error.message.replaceAll(hash, root.toString()));
}

/** The root, and the path below it where only that is denied. */
function placeOf({
  details: { root, path },
}: AltNetError<'CONTENT_REVOKED' | 'CONTENT_BLOCKED'>): string {
  return path === undefined || path === '' ? root : `${root}/${path}`;
}

const byCode: Partial<Record<ErrorCode, (message: string) => Problem>> = {
  BAD_NAME: (message) => ({
    ...problems.badRequest(message),
    status: 404,
    title: 'That cannot be a name',
  }),
  TIMEOUT: problems.tooSlow,
  NO_ANSWER: problems.noAnswer,
  BUSY: problems.tooMuch,
  NO_PEERS: problems.unavailable,
  UNREACHABLE: problems.unavailable,
  PEER_REFUSED: problems.unavailable,
  BAD_ROOT: problems.unavailable, // a name may point to what is no site
  NO_PROVIDERS: problems.unavailable,
  CONTENT_UNAVAILABLE: problems.unavailable,
  CONTENT_BAD: problems.unavailable,
  DISK_FULL: problems.diskFull,
  STORE_FULL: problems.storeFull,
};

/** What stands in the way of opening a name; undefined when nothing does. */
export function problemOfName(resolved: ResolvedName): Problem | undefined {
  const { name, state, root, claimants, expires } = resolved;
  switch (state) {
    case 'ok':
    case 'new':
      return root === undefined ? problems.noName(name) : undefined;
    case 'contested':
      return problems.contested(
        name,
        (claimants ?? []).map((key) => toHex(keyId(key))),
      );
    case 'expired':
      return problems.expired(name, expires);
    case 'revoked':
      return problems.revoked(name);
    case 'blocked':
      return problems.blockedName(name);
    case 'not-found':
      return problemOfAbsent(resolved);
    default:
      return state satisfies never;
  }
}

function problemOfAbsent({ name, freeAt, registrarsOnly, asked }: ResolvedName): Problem {
  if (registrarsOnly) return problems.notCertified(name);
  if (name.split('.').length > 2) return problems.noNameBelow(name);
  if (freeAt !== undefined) return problems.givenUp(name, freeAt);
  return asked <= 1 ? problems.noNameKnown(name) : problems.noName(name);
}

function dayOf(unixSeconds: number): string {
  return new Date(unixSeconds * 1000).toISOString().slice(0, 10);
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
