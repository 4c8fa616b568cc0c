/**
 * The one table of how each kind is judged, kept and kept alive (docs/spec/records.md, "Kinds").
 * It says what the numbers are; who enforces quotas and when timers run is the DHT's business.
 */
import { type Bytes, equalBytes } from '../base/bytes.ts';
import { AltNetError } from '../base/errors.ts';
import { keyId } from '../identity/key.ts';
import { contactLifetimeSecondsMax, parseContact } from './contact.ts';
import type { SignedRecord } from './envelope.ts';
import { type RecordKind, recordKinds } from './kinds.ts';
import { linkKey, linkLifetimeSecondsMax, linkSlot, placeOf } from './link.ts';
import { labelOf, nameLifetimeSecondsMax } from './name.ts';
import type { NetworkProfile } from './network.ts';
import { parsePkName, pkNameKey, pkNameLifetimeSecondsMax } from './pkname.ts';
import { multihashOf, providerKey, providerLifetimeSecondsMax } from './provider.ts';
import { parseRevocations, revocationsKey, revocationsLifetimeSecondsMax } from './revocations.ts';
import { isOpenZone, zoneOf } from './zone.ts';

/** What makes a record of a kind right, beside its envelope. */
export interface KindForm {
  /** Whether the body keeps the limits of its kind; a tombstone's names its slot and no more. */
  hasValidBody(record: SignedRecord): boolean;
  /** Whether the body (or author) hashes to the record's key. Asks for a valid body. */
  keyMatches(record: SignedRecord): boolean;
  /** Longest allowed `expires − issued`. */
  readonly lifetimeSecondsMax: number;
}

/** How storers and publishers treat a kind that is kept under its key. */
export interface StoredKind extends KindForm {
  /**
   * The record's place under its key, 1–32 bytes: a record replaces what is in its slot.
   * Asks for a valid body.
   */
  slot(record: SignedRecord): Bytes;
  /** A storer drops what was not refreshed for so long; undefined: not before `expires`. */
  readonly storerDropSeconds: number | undefined;
  /** The publisher stores its record again after so long. */
  readonly publisherRepublishSeconds: number;
  /** A storer stores it with others when it was not refreshed for so long; undefined: never. */
  readonly storerRepushSeconds: number | undefined;
  /** Live records under one key. */
  readonly valuesPerKeyMax: number;
  /** Live records of one author under one key; of tombstones, as many again. */
  readonly perAuthorMax: number;
  /**
   * Leading zero bits of work that records of the kind owe at most; with `record`, whose key was
   * checked, what that one owes.
   */
  powBits(profile: NetworkProfile, record?: SignedRecord): number;
}

const hour = 3600;
const free = (): number => 0;

/** Names and links outlive their publisher's absence by two days; relay addresses die sooner. */
const keptAlive = {
  storerDropSeconds: 48 * hour,
  publisherRepublishSeconds: 12 * hour,
  storerRepushSeconds: 20 * hour,
} as const;

const name: StoredKind = {
  ...keptAlive,
  hasValidBody: (record) => labelOf(record) !== undefined,
  keyMatches: (record) => zoneOf(record) !== undefined,
  lifetimeSecondsMax: nameLifetimeSecondsMax,
  slot: () => Uint8Array.of(recordKinds.name),
  valuesPerKeyMax: 1,
  perAuthorMax: 1,
  powBits: (profile, record) => (record && isRegistered(record) ? 0 : profile.powNameBits),
};

const pkName: StoredKind = {
  ...keptAlive,
  hasValidBody: (record) =>
    record.tombstone ? record.fields.size === 0 : parsePkName(record) !== undefined,
  keyMatches: (record) => equalBytes(pkNameKey(record.author), record.key),
  lifetimeSecondsMax: pkNameLifetimeSecondsMax,
  slot: () => Uint8Array.of(recordKinds.pkName),
  valuesPerKeyMax: 1,
  perAuthorMax: 1,
  powBits: free,
};

const link: StoredKind = {
  ...keptAlive,
  hasValidBody: (record) => placeOf(record) !== undefined,
  keyMatches: (record) => equalBytes(linkKey(required(placeOf(record)).urlHash), record.key),
  lifetimeSecondsMax: linkLifetimeSecondsMax,
  slot: (record) => linkSlot(record.author, required(placeOf(record)).targetHash),
  valuesPerKeyMax: 128,
  perAuthorMax: 4,
  powBits: (profile) => profile.powLinkBits,
};

const provider: StoredKind = {
  hasValidBody: (record) => multihashOf(record) !== undefined,
  keyMatches: (record) => equalBytes(providerKey(required(multihashOf(record))), record.key),
  lifetimeSecondsMax: providerLifetimeSecondsMax,
  slot: (record) => record.author,
  storerDropSeconds: undefined,
  publisherRepublishSeconds: 3 * hour,
  storerRepushSeconds: undefined,
  valuesPerKeyMax: 64,
  perAuthorMax: 1,
  powBits: free,
};

/** A list that nobody signs any more is kept alive until it expires: what it says stays said. */
const revocations: StoredKind = {
  ...keptAlive,
  hasValidBody: (record) => parseRevocations(record) !== undefined,
  keyMatches: (record) => equalBytes(revocationsKey(record.author), record.key),
  lifetimeSecondsMax: revocationsLifetimeSecondsMax,
  slot: () => Uint8Array.of(recordKinds.revocations),
  publisherRepublishSeconds: 6 * hour,
  valuesPerKeyMax: 1,
  perAuthorMax: 1,
  powBits: free,
};

const contact: KindForm = {
  hasValidBody: (record) => parseContact(record) !== undefined,
  keyMatches: (record) => equalBytes(keyId(record.author), record.key),
  lifetimeSecondsMax: contactLifetimeSecondsMax,
};

/** A zone's certificate costs its holder more than work would. */
function isRegistered(record: SignedRecord): boolean {
  const zone = zoneOf(record);
  return zone !== undefined && !isOpenZone(zone);
}

function required<T>(value: T | undefined): T {
  if (value !== undefined) return value;
  throw new AltNetError('INTERNAL', { what: 'a record was used before its body was checked' });
}

const storedKinds: ReadonlyMap<RecordKind, StoredKind> = new Map([
  [recordKinds.name, name],
  [recordKinds.pkName, pkName],
  [recordKinds.link, link],
  [recordKinds.provider, provider],
  [recordKinds.revocations, revocations],
]);

/** The rules of a kind that STORE accepts and GET returns; undefined for the others. */
export function storedKind(kind: RecordKind): StoredKind | undefined {
  return storedKinds.get(kind);
}

/** The form of any kind that this version understands. */
export function kindForm(kind: RecordKind): KindForm | undefined {
  return kind === recordKinds.contact ? contact : storedKinds.get(kind);
}

/** The slot of a record that was accepted (see `StoredKind.slot`). */
export function slotOf(record: SignedRecord): Bytes {
  const rules = storedKind(record.kind);
  if (rules) return rules.slot(record);
  throw new AltNetError('INTERNAL', { what: 'a record of this kind has no slot' });
}
