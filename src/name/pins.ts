/**
 * Owners of names as they were first seen, and the newest seq of each: so that nobody can take a
 * name from under its visitors, or show them an old version. Survives restarts.
 */
import { asBuffer, type Bytes, equalBytes, toHex } from '../base/bytes.ts';
import { type Clock, unixSeconds } from '../base/clock.ts';
import { freeAtSeconds } from '../dht/rules/ownership.ts';
import type { SignedRecord } from '../record/envelope.ts';
import type { NameNotes } from './ports.ts';
import type { Pin } from './verdict.ts';

/** About 20 MB on the disk. At that number the tenth that was unused for longest is forgotten. */
export const pinsMax = 100_000;

const prefix = 'pin/';
/** owner 32 ‖ seq 8 ‖ free at 4 ‖ first seen 4 ‖ last used 4, all times in unix seconds. */
const pinBytes = 52;
/** Using a pin is written down no more often than this. */
const useSeconds = 86_400;

export interface StoredPin extends Pin {
  /** Unix seconds. */
  readonly firstSeen: number;
  readonly lastUsed: number;
}

export class Pins {
  readonly #notes: NameNotes;
  readonly #clock: Clock;
  readonly #pinsMax: number;
  #count: number | undefined;

  constructor({ notes, clock, max = pinsMax }: { notes: NameNotes; clock: Clock; max?: number }) {
    this.#notes = notes;
    this.#clock = clock;
    this.#pinsMax = max;
  }

  get(key: Bytes): StoredPin | undefined {
    const value = this.#notes.get(noteName(key));
    return value && decodePin(value);
  }

  /** Remembers the owner of `record`, which was judged to hold its name. */
  async remember(record: SignedRecord): Promise<void> {
    const now = unixSeconds(this.#clock);
    const known = this.get(record.key);
    const same = known && equalBytes(known.owner, record.author) ? known : undefined;
    if (same && same.seq >= record.seq && now - same.lastUsed < useSeconds) return;
    const isNewer = !same || record.seq > same.seq;
    const pin: StoredPin = {
      owner: record.author,
      seq: isNewer ? record.seq : same.seq,
      freeAt: isNewer ? freeAtSeconds(record) : same.freeAt,
      firstSeen: same?.firstSeen ?? now,
      lastUsed: now,
    };
    if (!known) await this.#makeRoom();
    await this.#notes.put(noteName(record.key), encodePin(pin));
  }

  async #makeRoom(): Promise<void> {
    this.#count ??= this.#notes.list(prefix).length;
    if (++this.#count <= this.#pinsMax) return;
    const byUse = this.#notes
      .list(prefix)
      .map(({ name, value }) => ({ name, lastUsed: decodePin(value)?.lastUsed ?? 0 }))
      .toSorted((a, b) => a.lastUsed - b.lastUsed);
    const unused = byUse.slice(0, Math.max(1, Math.floor(this.#pinsMax / 10)));
    await this.#notes.removeAll(unused.map(({ name }) => name));
    this.#count = byUse.length - unused.length + 1;
  }
}

function noteName(key: Bytes): string {
  return prefix + toHex(key);
}

function encodePin({ owner, seq, freeAt, firstSeen, lastUsed }: StoredPin): Bytes {
  const value = Buffer.alloc(pinBytes);
  value.set(owner);
  value.writeBigUInt64BE(seq, 32);
  for (const [i, seconds] of [freeAt, firstSeen, lastUsed].entries()) {
    value.writeUInt32BE(Math.min(seconds, 0xffff_ffff), 40 + 4 * i);
  }
  return value;
}

function decodePin(value: Bytes): StoredPin | undefined {
  if (value.length !== pinBytes) return undefined;
  const bytes = asBuffer(value);
  return {
    owner: new Uint8Array(value.subarray(0, 32)),
    seq: bytes.readBigUInt64BE(32),
    freeAt: bytes.readUInt32BE(40),
    firstSeen: bytes.readUInt32BE(44),
    lastUsed: bytes.readUInt32BE(48),
  };
}
