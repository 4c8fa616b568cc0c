/** This node's own names: what its author publishes, and what a further record needs. No state. */
import { type Bytes, equalBytes } from '../base/bytes.ts';
import {
  compareRecords,
  epochOf,
  seqOf,
  type SignedRecord,
  versionOf,
} from '../record/envelope.ts';
import { type RecordKind, recordKinds } from '../record/kinds.ts';
import { keyName } from '../record/label.ts';
import { labelOf, parseName } from '../record/name.ts';
import { parsePkName } from '../record/pkname.ts';
import { powBitsOf } from '../record/pow.ts';
import { compareClaims } from '../record/transfer.ts';
import { certificateOf, isOpenZone, zoneOf } from '../record/zone.ts';
import type { Pins } from './pins.ts';
import type { Apex } from './place.ts';
import type { NamePublisher } from './ports.ts';
import type { OwnName } from './types.ts';

export interface OwnNamesDeps {
  readonly publisher: Pick<NamePublisher, 'list'>;
  /** Ed25519 public key. */
  readonly author: Bytes;
  /** Who was last seen to hold a name. */
  readonly pins: Pick<Pins, 'get'>;
  /** `networkId(profile)`. */
  readonly network: Bytes;
}

export class OwnNames {
  readonly #deps: OwnNamesDeps;

  constructor(deps: OwnNamesDeps) {
    this.#deps = deps;
  }

  /** What this author publishes under a name's key. */
  under({ key, kind }: { key: Bytes; kind: RecordKind }): SignedRecord | undefined {
    return this.#all(kind).find((record) => equalBytes(record.key, key));
  }

  /** The zones in which this author publishes a label; undefined stands for the open one. */
  zonesOf(label: string): (Bytes | undefined)[] {
    return this.#all(recordKinds.name)
      .filter((record) => labelOf(record) === label)
      .map(registrarOf);
  }

  /** Whether an own name is where those look who trust these zones. */
  isSeenFrom(zones: readonly Bytes[], apex: Apex): boolean {
    if (apex.type === 'key') return true;
    const own = this.zonesOf(apex.label);
    if (zones.length === 0) return own.includes(undefined);
    return own.some((mine) => mine && zones.some((zone) => equalBytes(zone, mine)));
  }

  /** Names below a name follow it. */
  list(): OwnName[] {
    const records = [...this.#all(recordKinds.name), ...this.#all(recordKinds.pkName)];
    return records.flatMap((record) => {
      const shown = shownBy(record);
      if (!shown) return [];
      const { author: owner, issued: updated, expires, seq } = record;
      const firstSeen = this.#deps.pins.get(record.key)?.firstSeen ?? updated;
      const registered = Math.min(firstSeen, updated);
      const zone = registrarOf(record);
      const certifiedUntil = certificateOf(record)?.notAfter;
      const common = {
        owner,
        version: versionOf(seq),
        registered,
        updated,
        expires,
        ...(zone && { zone }),
        ...(certifiedUntil !== undefined && { certifiedUntil }),
      };
      const below = [...(parseName(record)?.subnames ?? [])].map(([label, root]) => ({
        name: `${label}.${shown.name}`,
        root,
      }));
      return [shown, ...below].map((each) => ({ ...each, ...common }));
    });
  }

  /** The publisher goes on with a name that was passed on until storers refuse it. */
  #all(kind: RecordKind): SignedRecord[] {
    const { publisher, author } = this.#deps;
    const records = publisher.list(kind).map(({ record }) => record);
    return records.filter(
      (record) => equalBytes(record.author, author) && !this.#isPassedOn(record),
    );
  }

  #isPassedOn(record: SignedRecord): boolean {
    const { pins, network } = this.#deps;
    const seen = pins.get(record.key)?.record;
    if (!seen || equalBytes(seen.author, record.author)) return false;
    return compareClaims(seen, record, network) > 0;
  }
}

/** Whose zone a name is in; undefined in the open one, and for a key name. */
function registrarOf(record: SignedRecord): Bytes | undefined {
  const zone = zoneOf(record);
  return zone && !isOpenZone(zone) ? zone : undefined;
}

/** What a live record shows, under its name with ending; undefined for a withdrawal. */
export function shownBy(record: SignedRecord): Pick<OwnName, 'name' | 'root'> | undefined {
  const open = parseName(record);
  if (open) return { name: `${open.label}.alt`, root: open.root };
  const key = parsePkName(record);
  return key && { name: `${keyName(record.author)}.alt`, root: key.root };
}

/** How long the record's author lets others keep what it shows, if it says so. */
export function ttlSecondsOf(record: SignedRecord): number | undefined {
  return (parseName(record) ?? parsePkName(record))?.ttlSeconds;
}

/** Of all that an author wrote, the record to come after. */
export function newestOf(records: readonly SignedRecord[]): SignedRecord | undefined {
  return records.toSorted((a, b) => compareRecords(b, a)).at(0);
}

/** One version above; versions start at 1. */
export function nextSeq(previous: SignedRecord | undefined): bigint {
  return previous ? seqOf(epochOf(previous.seq), versionOf(previous.seq) + 1) : seqOf(0, 1);
}

/** The nonce of a record that shows enough work: it serves all records of its author there. */
export function knownWork(records: readonly SignedRecord[], bits: number): Bytes | undefined {
  return records.find((record) => powBitsOf(record) >= bits)?.powNonce;
}
