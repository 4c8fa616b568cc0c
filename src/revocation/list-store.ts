/**
 * The lists on the disk, so that a restart denies at once what was denied before: for each revoker
 * a head and its entries in pieces. What the entries mean is not known here.
 *
 * A list that grows rewrites its last piece, whose beginning stays the same; one that is replaced
 * goes under another generation. The head is written last, so a crash leaves the list before.
 */
import { type Bytes, concatBytes, parseHex, toHex } from '../base/bytes.ts';
import { parseRecord, type SignedRecord } from '../record/envelope.ts';
import { isEntries, revocationBytes } from '../record/revocations.ts';
import type { RevocationNotes } from './ports.ts';

export interface StoredList {
  /** The newest that was accepted; of this node's own list undefined before the first signature. */
  readonly record: SignedRecord | undefined;
  /** Entries of contradicted lists, and then those of the list. */
  readonly entries: Bytes;
  /** How many of them are of contradicted lists. */
  readonly leftCount: number;
  /** The revoker signed lists that contradict each other. */
  readonly equivocated: boolean;
  /** The entries are not how the record's list begins. */
  readonly diverged: boolean;
}

interface Head extends Omit<StoredList, 'entries'> {
  readonly generation: number;
  readonly bytes: number;
}

const headPrefix = 'revoker/';
const piecePrefix = 'revocations/';
const format = 1;
const headBytes = 16;
const equivocatedFlag = 1;
const divergedFlag = 2;
/** About 64 KiB. */
const pieceBytes = 1984 * revocationBytes;

export class ListStore {
  readonly #notes: RevocationNotes;
  /** Of each list that is here: what its head says. BOUNDED by the revokers that are followed. */
  readonly #heads = new Map<string, Head>();

  constructor(notes: RevocationNotes) {
    this.#notes = notes;
  }

  /** Public keys of those whose lists are here. */
  revokers(): Bytes[] {
    const heads = this.#notes.list(headPrefix);
    return heads.flatMap(({ name }) => parseHex(name.slice(headPrefix.length), 32) ?? []);
  }

  /** Undefined for a list that is not here, or is damaged: then it is fetched as a new one. */
  load(revoker: Bytes): StoredList | undefined {
    const at = toHex(revoker);
    const head = decodeHead(this.#notes.get(headPrefix + at));
    if (!head) return undefined;
    const pieces = this.#notes.list(placeOf(at, head.generation)).map(({ value }) => value);
    const entries = concatBytes(...pieces).slice(0, head.bytes);
    if (entries.length !== head.bytes || !isEntries(entries)) return undefined;
    this.#heads.set(at, head);
    return { ...head, entries };
  }

  /** `entries` begin with what is stored already, unless `isOther`. Resolves when it is safe. */
  async save(revoker: Bytes, list: StoredList, isOther: boolean): Promise<void> {
    const at = toHex(revoker);
    const before = this.#heads.get(at);
    const generation = (before?.generation ?? 0) + (isOther ? 1 : 0);
    const { entries } = list;
    const safeBytes = isOther ? 0 : (before?.bytes ?? 0);
    const first = Math.floor(safeBytes / pieceBytes);
    const untilBytes = entries.length > safeBytes ? entries.length : 0;
    for (let i = first; i * pieceBytes < untilBytes; i++) {
      const piece = entries.subarray(i * pieceBytes, (i + 1) * pieceBytes);
      await this.#notes.put(placeOf(at, generation) + String(i).padStart(6, '0'), piece);
    }
    const head: Head = { ...list, generation, bytes: entries.length };
    await this.#notes.put(headPrefix + at, encodeHead(head));
    this.#heads.set(at, head);
    if (before && isOther) await this.#removeUnder(placeOf(at, before.generation));
  }

  async remove(revoker: Bytes): Promise<void> {
    const at = toHex(revoker);
    this.#heads.delete(at);
    await this.#notes.removeAll([headPrefix + at]);
    await this.#removeUnder(`${piecePrefix}${at}/`);
  }

  async #removeUnder(start: string): Promise<void> {
    await this.#notes.removeAll(this.#notes.list(start).map(({ name }) => name));
  }
}

function placeOf(revoker: string, generation: number): string {
  return `${piecePrefix}${revoker}/${generation}/`;
}

function encodeHead({ generation, bytes, leftCount, equivocated, diverged, record }: Head): Bytes {
  const head = Buffer.alloc(headBytes);
  head.writeUInt8(format, 0);
  head.writeUInt8((equivocated ? equivocatedFlag : 0) | (diverged ? divergedFlag : 0), 1);
  head.writeUInt32BE(generation >>> 0, 4);
  head.writeUInt32BE(bytes, 8);
  head.writeUInt32BE(leftCount, 12);
  return concatBytes(head, record?.bytes ?? new Uint8Array());
}

function decodeHead(octets: Bytes | undefined): Head | undefined {
  if (!octets || octets.length < headBytes || octets[0] !== format) return undefined;
  const head = Buffer.from(octets);
  const flags = head.readUInt8(1);
  const parsed = octets.length > headBytes ? parseRecord(octets.subarray(headBytes)) : undefined;
  if (parsed && !parsed.ok) return undefined;
  return {
    record: parsed?.record,
    generation: head.readUInt32BE(4),
    bytes: head.readUInt32BE(8),
    leftCount: head.readUInt32BE(12),
    equivocated: (flags & equivocatedFlag) !== 0,
    diverged: (flags & divergedFlag) !== 0,
  };
}
