/**
 * Numbers of the DNS protocol that this program has a use for, and where they stand in a message.
 */

/** The header: ID, flags, and how many records each of the four sections has. */
export const headerBytes = 12;

export const flags = {
  response: 0x8000,
  opcode: 0x7800,
  authoritative: 0x0400,
  truncated: 0x0200,
  recursionDesired: 0x0100,
  recursionAvailable: 0x0080,
  authenticData: 0x0020,
  checkingDisabled: 0x0010,
  rcode: 0x000f,
} as const;

export const opcodeQuery = 0;

export const rcodes = {
  noError: 0,
  formErr: 1,
  servFail: 2,
  nxDomain: 3,
  notImp: 4,
  refused: 5,
  /** Its upper bits stand in the OPT record. */
  badVers: 16,
} as const;

/** For counters: as the registry of IANA spells them. */
const rcodeNames: ReadonlyMap<number, string> = new Map([
  [rcodes.noError, 'NOERROR'],
  [rcodes.formErr, 'FORMERR'],
  [rcodes.servFail, 'SERVFAIL'],
  [rcodes.nxDomain, 'NXDOMAIN'],
  [rcodes.notImp, 'NOTIMP'],
  [rcodes.refused, 'REFUSED'],
  [rcodes.badVers, 'BADVERS'],
]);

export function rcodeName(rcode: number): string {
  return rcodeNames.get(rcode) ?? 'other';
}

export const types = {
  a: 1,
  soa: 6,
  hinfo: 13,
  txt: 16,
  aaaa: 28,
  opt: 41,
  ixfr: 251,
  axfr: 252,
  any: 255,
} as const;

export const classIn = 1;

/** The numbers that are questions or parts of the protocol and no data (RFC 6895, 3.1). */
export function isMetaType(type: number): boolean {
  return type === types.opt || (type >= 128 && type <= 255);
}

/** RFC 6891: options of an OPT record and what its TTL holds. */
export const edns = {
  version: 0,
  /** What every path of today carries without fragments (DNS flag day 2020). */
  udpBytes: 1232,
  /** What a client can take that says nothing, and the least that one can say. */
  udpBytesMin: 512,
  dnssecOk: 0x8000,
  /** Extended DNS errors (RFC 8914). */
  extendedError: 15,
  /** So that the length of what is encrypted tells little (RFC 7830). */
  padding: 12,
  /** Answers are filled up to a multiple of this (RFC 8467, 4.1). */
  paddedBlockBytes: 468,
} as const;

export const extendedErrors = {
  cachedError: 13,
  noReachableAuthority: 22,
  networkError: 23,
} as const;

/** The longest name, its length octets counted (RFC 1035, 2.3.4). */
export const nameBytesMax = 255;
export const labelBytesMax = 63;
