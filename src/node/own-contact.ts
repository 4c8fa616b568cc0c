/**
 * What this node says of itself to who pings it: a contact record, signed anew when its addresses
 * change and well before it expires.
 */
import type { Bytes } from '../base/bytes.ts';
import { type Clock, unixSeconds } from '../base/clock.ts';
import { encodeMultiaddr, parseMultiaddr } from '../peer/address.ts';
import { makeContactRecord } from '../record/contact.ts';
import { seqOf } from '../record/envelope.ts';
import type { Signer } from '../record/stamp.ts';

export const programName = 'altnet/0.1.0';

const resignSeconds = 12 * 3600;
/** Looking at the network interfaces costs more than a ping. */
const lookMs = 10_000;
const multiaddrsMax = 4;

export class OwnContact {
  readonly #signer: Signer;
  readonly #clock: Clock;
  readonly #addresses: () => readonly string[];
  #lookedMs = Number.NEGATIVE_INFINITY;
  #signed:
    | { readonly bytes: Bytes; readonly addresses: string; readonly issued: number }
    | undefined;

  /** `addresses`: multiaddrs under which others connect to this node, best first. */
  constructor(signer: Signer, clock: Clock, addresses: () => readonly string[]) {
    this.#signer = signer;
    this.#clock = clock;
    this.#addresses = addresses;
  }

  /** The encoded record. */
  readonly current = (): Bytes => {
    const nowMs = this.#clock.monotonicMs();
    if (this.#signed && nowMs - this.#lookedMs < lookMs) return this.#signed.bytes;
    this.#lookedMs = nowMs;
    const addresses = this.#addresses().slice(0, multiaddrsMax);
    const issued = unixSeconds(this.#clock);
    const known = this.#signed;
    const isFresh = known !== undefined && Math.abs(issued - known.issued) < resignSeconds;
    if (isFresh && known.addresses === addresses.join()) return known.bytes;
    const bytes = this.#sign(addresses, issued);
    this.#signed = { bytes, addresses: addresses.join(), issued };
    return bytes;
  };

  #sign(addresses: readonly string[], issued: number): Bytes {
    const multiaddrs = addresses.flatMap((text) => {
      const endpoint = parseMultiaddr(text);
      return endpoint ? [encodeMultiaddr(endpoint)] : [];
    });
    const body = {
      protocolMin: 1,
      protocolMax: 1,
      capabilities: 0,
      multiaddrs,
      software: programName,
    };
    // The time as version: it grows without anything being remembered.
    return makeContactRecord(body, { issued, seq: seqOf(0, issued) }, this.#signer).bytes;
  }
}
