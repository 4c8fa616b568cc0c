/**
 * The newest record of each name as it was seen when the name was in order: so that nobody can take
 * a name from under its visitors, or show them an old version. Survives restarts.
 */
import { asBuffer, type Bytes, concatBytes, equalBytes, toHex } from '../base/bytes.ts';
import { type Clock, unixSeconds } from '../base/clock.ts';
import { parseRecord, type SignedRecord } from '../record/envelope.ts';
import { compareClaims, takesOverFrom } from '../record/transfer.ts';
import type { NameNotes } from './ports.ts';

/** About 40 MB on the disk. At that number the tenth that was unused for longest is forgotten. */
export const pinsMax = 100_000;

const prefix = 'pin/';
const format = 2;
/** format 1 ‖ first seen 4 ‖ last seen 4 ‖ changed 4 ‖ previous owner 32 ‖ record. */
const headBytes = 45;
/** Seeing the same again is written down no more often than this. */
const seenSeconds = 3600;

export interface Pin {
  /** Was verified when it came. */
  readonly record: SignedRecord;
  /** Unix seconds: since when this owner is known. */
  readonly firstSeen: number;
  /** Unix seconds; up to an hour later in truth. */
  readonly lastSeen: number;
  /** The owner before, who did not pass the name on, and since when it is another's. */
  readonly previous: { readonly owner: Bytes; readonly changed: number } | undefined;
}

export interface PinsDeps {
  readonly notes: NameNotes;
  readonly clock: Clock;
  /** `networkId(profile)`. */
  readonly network: Bytes;
}

const nobody = new Uint8Array(32);

export class Pins {
  readonly #deps: PinsDeps;
  readonly #pinsMax: number;
  #count: number | undefined;

  constructor(deps: PinsDeps, max: number = pinsMax) {
    this.#deps = deps;
    this.#pinsMax = max;
  }

  get(key: Bytes): Pin | undefined {
    const value = this.#deps.notes.get(noteName(key));
    return value && decodePin(value);
  }

  /** Remembers a record that was judged to be its name's. */
  async remember(record: SignedRecord): Promise<void> {
    const { clock, notes } = this.#deps;
    const now = unixSeconds(clock);
    const known = this.get(record.key);
    const pin = this.#next(known, record, now);
    const isSame = known?.record === pin.record;
    if (isSame && now - known.lastSeen < seenSeconds) return;
    if (!known) await this.#makeRoom();
    await notes.put(noteName(record.key), encodePin(pin));
  }

  #next(known: Pin | undefined, record: SignedRecord, now: number): Pin {
    const first: Pin = { record, firstSeen: now, lastSeen: now, previous: undefined };
    if (!known) return first;
    const { network } = this.#deps;
    if (equalBytes(known.record.author, record.author)) {
      const isOlder = compareClaims(known.record, record, network) >= 0;
      return { ...known, record: isOlder ? known.record : record, lastSeen: now };
    }
    const isPassedOn = takesOverFrom(record, known.record.author, network) !== undefined;
    if (isPassedOn) return first;
    return { ...first, previous: { owner: known.record.author, changed: now } };
  }

  async #makeRoom(): Promise<void> {
    const { notes } = this.#deps;
    this.#count ??= notes.list(prefix).length;
    if (++this.#count <= this.#pinsMax) return;
    const byUse = notes
      .list(prefix)
      .map(({ name, value }) => ({ name, lastSeen: lastSeenOf(value) }))
      .toSorted((a, b) => a.lastSeen - b.lastSeen);
    const unused = byUse.slice(0, Math.max(1, Math.floor(this.#pinsMax / 10)));
    await notes.removeAll(unused.map(({ name }) => name));
    this.#count = byUse.length - unused.length + 1;
  }
}

function noteName(key: Bytes): string {
  return prefix + toHex(key);
}

function encodePin({ record, firstSeen, lastSeen, previous }: Pin): Bytes {
  const head = Buffer.alloc(headBytes);
  head.writeUInt8(format, 0);
  for (const [i, seconds] of [firstSeen, lastSeen, previous?.changed ?? 0].entries()) {
    head.writeUInt32BE(Math.min(seconds, 0xffff_ffff), 1 + 4 * i);
  }
  head.set(previous?.owner ?? nobody, 13);
  return concatBytes(head, record.bytes);
}

function lastSeenOf(value: Bytes): number {
  return value.length < headBytes ? 0 : asBuffer(value).readUInt32BE(5);
}

/** Undefined for what another version wrote. */
function decodePin(value: Bytes): Pin | undefined {
  if (value.length < headBytes || value[0] !== format) return undefined;
  const parsed = parseRecord(value.subarray(headBytes));
  if (!parsed.ok) return undefined;
  const head = asBuffer(value);
  const changed = head.readUInt32BE(9);
  const owner = value.slice(13, headBytes);
  return {
    record: parsed.record,
    firstSeen: head.readUInt32BE(1),
    lastSeen: head.readUInt32BE(5),
    previous: changed === 0 ? undefined : { owner, changed },
  };
}
