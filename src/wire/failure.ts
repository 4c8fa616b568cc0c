/** Why bytes from a peer were not understood: counted by the caller, never thrown. */

export type WireFailure =
  /** Too short, too long, or an inner length that does not fit. */
  | 'length'
  /** Octets after the last field. */
  | 'trailing'
  | 'type'
  | 'version'
  | 'suite'
  /** Octet 3 of a packet is not zero. */
  | 'reserved'
  | 'method'
  | 'mode'
  | 'status'
  /** More entries than a message may have. */
  | 'count'
  /** Entries that are not in ascending order. */
  | 'order'
  /** A contact without a port, with an address that no peer can have, or of unknown family. */
  | 'contact'
  /** An observed address that is not one. */
  | 'address';

/** What a decoder returns: narrow with `isFailure`. No message is itself a string. */
export type Decoded<T extends object> = T | WireFailure;

export function isFailure<T extends object>(decoded: Decoded<T>): decoded is WireFailure {
  return typeof decoded === 'string';
}
