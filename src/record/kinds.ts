/** The numbers that stand for record kinds and for answers to STORE (docs/spec/records.md). */

export const recordKinds = {
  name: 1,
  link: 2,
  provider: 3,
  contact: 4,
  pkName: 5,
  revocations: 6,
} as const;

export type RecordKindName = keyof typeof recordKinds;
export type RecordKind = (typeof recordKinds)[RecordKindName];

const kindNumbers: ReadonlySet<number> = new Set(Object.values(recordKinds));

export function isRecordKind(kind: number): kind is RecordKind {
  return kindNumbers.has(kind);
}

/** What a storer answers. Below 16: stored. */
export const storeStatuses = {
  OK: 0,
  OK_PROVISIONAL: 1,
  OK_DUPLICATE: 2,
  MALFORMED: 16,
  BAD_SIG: 17,
  TOO_BIG: 18,
  KEY_MISMATCH: 19,
  EXPIRED: 20,
  CLOCK: 21,
  BAD_TOKEN: 22,
  SEQ_OLD: 23,
  NAME_TAKEN: 24,
  BAD_TRANSFER: 25,
  BAD_CERT: 26,
  POW: 27,
  QUOTA_KEY: 28,
  QUOTA_AUTHOR: 29,
  QUOTA_NET: 30,
  QUOTA_TOTAL: 31,
  NOT_CLOSE: 32,
  REVOKED: 33,
  RATE: 34,
  METHOD: 35,
  KIND: 36,
} as const;

export type StoreStatusName = keyof typeof storeStatuses;
export type StoreStatus = (typeof storeStatuses)[StoreStatusName];

const statusNames: ReadonlyMap<number, StoreStatusName> = new Map(
  Object.entries(storeStatuses).map(([name, code]) => [code, name as StoreStatusName]),
);

/** The name of a code, or "UNKNOWN" for one that this version does not know. */
export function storeStatusName(code: number): StoreStatusName | 'UNKNOWN' {
  return statusNames.get(code) ?? 'UNKNOWN';
}

export function isStored(status: StoreStatus): boolean {
  return status < 16;
}
