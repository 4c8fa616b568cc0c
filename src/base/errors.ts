/**
 * The one error of AltNet and the registry of its codes. Callers branch on `code`, never on text.
 * docs/ERRORS.md lists the same codes; a test keeps both equal.
 */
import { formatBytes } from './byte-count.ts';

/** Each code with the shape of its details and the sentence that a user reads. */
interface Details {
  /* general */
  ABORTED: Record<string, never>;
  TIMEOUT: { what: string; ms: number };
  BUSY: { what: string };
  BAD_ARGUMENT: { what: string; why: string };
  INTERNAL: { what: string };
  /* addresses and sockets */
  BAD_ADDRESS: { text: string; want: string };
  PORT_TAKEN: { address: string };
  BIND_FAILED: { address: string; why: string };
  /* keys */
  KEY_DAMAGED: { file: string; why: string };
  KEY_EXPOSED: { file: string; mode: string };
  KEY_WRONG_KIND: { file: string; want: string; have: string };
  BAD_KEY_STRING: { why: string };
  CA_UNUSABLE: { file: string; why: string };
  /* store */
  STORE_LOCKED: { folder: string; pid?: number };
  STORE_DAMAGED: { folder: string; why: string };
  STORE_TOO_NEW: { folder: string; have: number; want: number };
  DISK_FULL: { folder: string };
  STORE_FULL: { bytes: number; bytesMax: number };
  /* peers */
  UNREACHABLE: { what: string; why: string };
  PEER_REFUSED: { what: string; why: string };
  WRONG_PEER: { address: string; want: string; have: string };
  NO_PEERS: { what: string };
  /* names */
  BAD_NAME: { name: string; why: string };
  NAME_TAKEN: { name: string; owner: string };
  /** `asked`: how many were asked, where that is known. */
  NAME_NOT_FOUND: {
    name: string;
    registrarsOnly?: boolean;
    uncertified?: boolean;
    asked?: number;
  };
  NAME_CONTESTED: { name: string; owners: readonly string[] };
  NAME_EXPIRED: { name: string };
  NAME_REVOKED: { name: string };
  NAME_BLOCKED: { name: string };
  NAME_NOT_YOURS: { name: string; owner: string };
  NO_ANSWER: { what: string; answered: number; wanted: number };
  /* content */
  BAD_ROOT: { text: string };
  PATH_MISSING: { path: string };
  PATH_UNREADABLE: { path: string; why: string };
  PATH_UNSUPPORTED: { path: string; why: string };
  FOLDER_EMPTY: { path: string };
  NO_PROVIDERS: { root: string };
  CONTENT_UNAVAILABLE: { root: string; why: string };
  CONTENT_BAD: { root: string; why: string };
  CONTENT_NO_PATH: { root: string; path: string };
  CONTENT_REVOKED: { root: string; path?: string | undefined; by?: string };
  CONTENT_BLOCKED: { root: string; path?: string | undefined };
  NOT_PUBLISHED: { what: string };
  VALUE_TOO_BIG: { bytes: number; bytesMax: number };
  /* links */
  BAD_URL: { text: string; why: string };
  URL_BLOCKED: { url: string };
  LINK_NOT_FOUND: { url: string; target?: string };
  LINK_LIMIT: { url: string; limit: number };
  LINK_UNUSABLE: { url: string; tried: number };
  DOWNLOAD_FAILED: { url: string; why: string };
  /* records */
  RECORD_REFUSED: { what: string; status: string };
  /* lists of whom to trust and what to deny */
  LIST_UNREADABLE: { file: string; why: string };
  CERTIFICATE_BAD: { why: string };
  /* command line and API */
  USAGE: { why: string };
  NO_NODE: { why: string };
  CHECKS_FAILED: { failed: number };
  SETUP_NEEDS_ROOT: { command: string };
  SETUP_EDITED: { files: readonly string[] };
  SETUP_FAILED: { what: string; why: string };
  UNAUTHORIZED: Record<string, never>;
}

export type ErrorCode = keyof Details;
export type ErrorDetails<C extends ErrorCode> = Details[C];

/** The system's codes that a user may meet, in words. */
const systemWords: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'there is no such file or folder'],
  ['EACCES', 'permission denied'],
  ['EPERM', 'permission denied'],
  ['EROFS', 'the disk is read-only'],
  ['EISDIR', 'it is a folder'],
  ['ENOTDIR', 'there is a file in the way'],
  ['EEXIST', 'there is a file in the way'],
  ['ENAMETOOLONG', 'the name is too long'],
  ['EMFILE', 'too many files are open'],
  ['ENFILE', 'too many files are open'],
  ['EIO', 'the disk failed'],
  ['EADDRNOTAVAIL', 'this machine has no such address'],
  ['ENOTFOUND', 'the host name is not known'],
  ['EAI_AGAIN', 'the host name could not be looked up'],
]);

/** A reason that is a code of the system, or ends with one in brackets, as users read it. */
function inWords(why: string): string {
  return why.replace(
    /^E[A-Z0-9_]+$|(?<=\()E[A-Z0-9_]+(?=\)$)/,
    (code) => systemWords.get(code) ?? code,
  );
}

/** Why storers refuse a record, in words; the others mean that something is wrong with it. */
const refusalWords: ReadonlyMap<string, string> = new Map([
  ['QUOTA_KEY', 'others have published as much there as is kept'],
  ['QUOTA_AUTHOR', 'they take no more of your author key: 4 links for one URL, 256 records in all'],
  ['QUOTA_NET', 'they take no more from your network'],
  ['QUOTA_TOTAL', 'they are full'],
  ['RATE', 'too much at once; the node tries again by itself'],
  ['METHOD', 'they cannot be reached by others themselves'],
  ['CLOCK', 'it is from the future; set the clock of this machine'],
  ['EXPIRED', 'it has expired; set the clock of this machine'],
]);

function refusalInWords(status: string): string {
  const words = refusalWords.get(status);
  return words === undefined ? status : `${words} (${status})`;
}

type Sentences = { readonly [C in ErrorCode]: (details: Details[C]) => string };

const sentences: Sentences = {
  ABORTED: () => 'stopped before it was done',
  TIMEOUT: ({ what, ms }) => `${what}: no answer within ${ms / 1000} s`,
  BUSY: ({ what }) => `${what}: too much is asked at once; try again in a moment`,
  BAD_ARGUMENT: ({ what, why }) => `${what}: ${why}`,
  INTERNAL: ({ what }) => `internal error: ${what}; please report it`,
  BAD_ADDRESS: ({ text, want }) => `"${text}" is not an address; write ${want}`,
  PORT_TAKEN: ({ address }) => `${address} is in use by another program; choose another port`,
  BIND_FAILED: ({ address, why }) => `cannot listen on ${address}: ${inWords(why)}`,
  KEY_DAMAGED: ({ file, why }) =>
    `the key file ${file} is damaged (${why}); restore it from a copy, or move it away to get a new key`,
  KEY_EXPOSED: ({ file, mode }) =>
    `the key file ${file} can be read by others (mode ${mode}); run: chmod 600 ${file}`,
  KEY_WRONG_KIND: ({ file, want, have }) =>
    `${file} holds the ${have} key where the ${want} key belongs; restore that from a copy, or move this one away to get a new key`,
  BAD_KEY_STRING: ({ why }) => `that is not an exported AltNet key: ${why}`,
  CA_UNUSABLE: ({ file, why }) =>
    `${file} of the certificate authority cannot be used (${why}); restore it from a copy, or move its folder away and run: altnet setup ca`,
  STORE_LOCKED: ({ folder, pid }) =>
    `${folder} is used by another running node${pid === undefined ? '' : ` (process ${pid})`}; stop it, or choose another folder with --data`,
  STORE_DAMAGED: ({ folder, why }) =>
    `the database in ${folder} is damaged (${why}); move the folder away to start afresh (your keys are kept apart)`,
  STORE_TOO_NEW: ({ folder, have, want }) =>
    `the database in ${folder} has format ${have}, this program knows up to ${want}; use a newer altnet`,
  DISK_FULL: ({ folder }) =>
    `no space left on the disk that holds ${folder}; free some and try again`,
  STORE_FULL: ({ bytes, bytesMax }) =>
    bytes > bytesMax
      ? `${formatBytes(bytes)} do not fit into the ${formatBytes(bytesMax)} that this node may store; raise --store-budget`
      : `there is no room for ${formatBytes(bytes)} more in the ${formatBytes(bytesMax)} that this node may store: the rest is yours or in use; raise --store-budget, or drop a site of yours with: altnet unpublish`,
  UNREACHABLE: ({ what, why }) => `${what} cannot be reached: ${why}`,
  PEER_REFUSED: ({ what, why }) => `${what} refused: ${why}`,
  WRONG_PEER: ({ address, want, have }) =>
    `the node at ${address} is ${have}, not ${want}; check the address or drop the #… part`,
  NO_PEERS: ({ what }) =>
    `${what}: this node knows no other node; start it with --bootstrap host:port`,
  BAD_NAME: ({ name, why }) => `"${name}" cannot be a name: ${why}`,
  NAME_TAKEN: ({ name, owner }) =>
    `${name} belongs to another author (${owner}); choose another name`,
  NAME_NOT_FOUND: ({ name, registrarsOnly, uncertified, asked }) => {
    if (uncertified === true) {
      return `you have not certified ${name}, and nobody holds it in your zone; altnet registrar list shows what you have certified`;
    }
    if (registrarsOnly === true) {
      return `none of the registrars of this node has given the name ${name}, and it resolves no others (trusted-registrars.txt); check its spelling`;
    }
    return asked !== undefined && asked <= 1
      ? `nobody holds the name ${name}, as far as this node knows: it knows hardly any other node; start it with --bootstrap host:port, or check the spelling`
      : `nobody holds the name ${name}; check its spelling`;
  },
  NAME_CONTESTED: ({ name, owners }) =>
    `${name} is claimed by ${owners.length} authors and none has a majority; open it by its root, or try later: ${owners.join(', ')}`,
  NAME_EXPIRED: ({ name }) =>
    `${name} has expired; only its owner can renew it, with: altnet update`,
  NAME_REVOKED: ({ name }) => revokedSentence(name),
  NAME_BLOCKED: ({ name }) => blockedSentence(name, name),
  NAME_NOT_YOURS: ({ name, owner }) =>
    `${name} belongs to ${owner}; only that author can change it`,
  NO_ANSWER: ({ what, answered, wanted }) =>
    `${what}: of those who would know, too few answered (${answered}, at least ${wanted} are needed); try again in a moment`,
  BAD_ROOT: ({ text }) => `"${text}" is neither a CID nor 64 hex digits of SHA-256`,
  PATH_MISSING: ({ path }) => `${path} does not exist`,
  PATH_UNREADABLE: ({ path, why }) => `${path} cannot be read: ${inWords(why)}`,
  PATH_UNSUPPORTED: ({ path, why }) => `${path} cannot be used: ${inWords(why)}`,
  FOLDER_EMPTY: ({ path }) =>
    `${path} holds nothing to publish; what an .altignore names is left out, and names that begin with a dot`,
  NO_PROVIDERS: ({ root }) =>
    `no peer that holds ${root} was found; one has to run in the network that this node is in (altnet peers shows whether it is in any)`,
  CONTENT_UNAVAILABLE: ({ root, why }) => `${root} could not be fetched: ${why}`,
  CONTENT_BAD: ({ root, why }) => `${root} is not a valid site: ${why}`,
  CONTENT_NO_PATH: ({ root, path }) => `${root} has no ${path}`,
  CONTENT_REVOKED: ({ root, path }) => revokedSentence(placeOf(root, path)),
  CONTENT_BLOCKED: ({ root, path }) => blockedSentence(placeOf(root, path)),
  NOT_PUBLISHED: ({ what }) =>
    `${what} is not published on this node; see what is, with: altnet sites --own`,
  VALUE_TOO_BIG: ({ bytes, bytesMax }) =>
    `the value has ${bytes} bytes, at most ${bytesMax} fit; publish it as a file instead`,
  BAD_URL: ({ text, why }) => `"${text}" cannot be used as a URL: ${why}`,
  URL_BLOCKED: ({ url }) => blockedSentence(url),
  LINK_NOT_FOUND: ({ url, target }) =>
    target === undefined
      ? `no alternative for ${url} was found`
      : `you have announced no such alternative for ${url}; list yours with: altnet links`,
  LINK_LIMIT: ({ url, limit }) => `${url} already has ${limit} links of yours; remove one first`,
  LINK_UNUSABLE: ({ url, tried }) =>
    `no alternative for ${url} could be downloaded (${tried} tried); the lines above say why`,
  DOWNLOAD_FAILED: ({ url, why }) => `${url} could not be downloaded: ${why}`,
  RECORD_REFUSED: ({ what, status }) =>
    `${what} was refused by every node that was asked: ${refusalInWords(status)}`,
  LIST_UNREADABLE: ({ file, why }) =>
    `${file} cannot be read: ${inWords(why)}; mend that or move the file away: the node does not start without knowing what it says`,
  CERTIFICATE_BAD: ({ why }) => `that certificate cannot be used: ${why}`,
  USAGE: ({ why }) => why,
  NO_NODE: ({ why }) => `no node is running here (${why}); start one with: altnet start`,
  CHECKS_FAILED: ({ failed }) =>
    `${failed} of what was looked at ${failed === 1 ? 'does' : 'do'} not work; the lines above say what to do`,
  SETUP_NEEDS_ROOT: ({ command }) => `this changes the system; run it as root: ${command}`,
  SETUP_EDITED: ({ files }) =>
    `${files.join(', ')}: not as altnet left it, so it stays; take back what stands there, or remove it, then run this again`,
  SETUP_FAILED: ({ what, why }) => `${what}: ${why}`,
  UNAUTHORIZED: () =>
    'the API token is missing or wrong; it is in registrar-token.txt of the data folder, unless --registrar-token gave another',
};

export const errorCodes: readonly ErrorCode[] = Object.keys(sentences) as ErrorCode[];

export class AltNetError<C extends ErrorCode = ErrorCode> extends Error {
  readonly code: C;
  readonly details: Details[C];

  constructor(code: C, details: Details[C], options?: { cause?: unknown }) {
    super(sentences[code](details), options);
    this.name = 'AltNetError';
    this.code = code;
    this.details = details;
  }
}

function revokedSentence(what: string): string {
  return `${what} was revoked by you, or by somebody whom this node trusts to do so; see whom with: altnet revocations`;
}

function blockedSentence(what: string, entry = 'ENTRY'): string {
  return `${what} is on this node's blocklist; allow it again with: altnet unblock ${entry}`;
}

function placeOf(root: string, path: string | undefined): string {
  return path === undefined || path === '' ? root : `${path} (${root})`;
}

/** Whether `error` is an AltNetError, of this code when one is given. */
export function isAltNetError<C extends ErrorCode = ErrorCode>(
  error: unknown,
  code?: C,
): error is AltNetError<C> {
  return error instanceof AltNetError && (code === undefined || error.code === code);
}

/** The system's short code ("ENOENT", "EADDRINUSE") of a Node.js error, if it has one. */
export function systemCode(error: unknown): string | undefined {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}
