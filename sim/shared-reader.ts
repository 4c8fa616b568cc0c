/**
 * Reads and verifies each record once for all simulated nodes: the octets that one hands to another
 * are the same object, and what they say is true for everybody. Nobody writes to them.
 */
import type { Bytes } from '../src/base/bytes.ts';
import { type RecordReader, recordReader } from '../src/record/acceptance.ts';
import type { ParsedRecord, SignedRecord } from '../src/record/envelope.ts';
import type { StoreStatus } from '../src/record/kinds.ts';

export class SharedReader implements RecordReader {
  readonly #parsed = new WeakMap<Bytes, ParsedRecord>();
  readonly #statuses = new WeakMap<SignedRecord, StoreStatus>();

  parse(bytes: Bytes): ParsedRecord {
    const known = this.#parsed.get(bytes);
    if (known) return known;
    const parsed = recordReader.parse(bytes);
    this.#parsed.set(bytes, parsed);
    // What is passed on are its own octets, not those that it was read from.
    if (parsed.ok) this.#parsed.set(parsed.record.bytes, parsed);
    return parsed;
  }

  /** All simulated nodes are of one network. */
  checkSignatures(record: SignedRecord, network: Bytes): StoreStatus {
    const known = this.#statuses.get(record);
    if (known !== undefined) return known;
    const status = recordReader.checkSignatures(record, network);
    this.#statuses.set(record, status);
    return status;
  }
}
