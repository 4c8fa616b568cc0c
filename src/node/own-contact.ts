/**
 * What this node says of itself to who pings it: a contact record, signed anew when its addresses
 * change and well before it expires.
 */
import { type Endpoint, formatEndpoint } from '../base/address.ts';
import type { Bytes } from '../base/bytes.ts';
import { type Clock, unixSeconds } from '../base/clock.ts';
import { encodePeerAddress, parsePeerAddress } from '../peer/peer-address.ts';
import { makeContactRecord } from '../record/contact.ts';
import { seqOf } from '../record/envelope.ts';
import type { Signer } from '../record/stamp.ts';

export const programName = 'altnet/0.1.0';

const resignSeconds = 12 * 3600;
/** Looking at the network interfaces costs more than a ping. */
const lookMs = 10_000;
const multiaddrsMax = 4;

/** Where others see this node, as far as they agree. */
export interface SeenAt {
  readonly udp4: Endpoint | undefined;
  readonly udp6: Endpoint | undefined;
}

export interface ContactSources {
  /** Multiaddrs under which others connect to this node, best first. */
  readonly addresses: () => readonly string[];
  readonly seen: () => SeenAt;
}

interface Said extends SeenAt {
  readonly addresses: readonly string[];
}

export class OwnContact {
  readonly #signer: Signer;
  readonly #clock: Clock;
  readonly #sources: ContactSources;
  #lookedMs = Number.NEGATIVE_INFINITY;
  #signed: { readonly bytes: Bytes; readonly said: string; readonly issued: number } | undefined;

  constructor(signer: Signer, clock: Clock, sources: ContactSources) {
    this.#signer = signer;
    this.#clock = clock;
    this.#sources = sources;
  }

  /** The encoded record. */
  readonly current = (): Bytes => {
    const nowMs = this.#clock.monotonicMs();
    if (this.#signed && nowMs - this.#lookedMs < lookMs) return this.#signed.bytes;
    this.#lookedMs = nowMs;
    const addresses = this.#sources.addresses().slice(0, multiaddrsMax);
    const what: Said = { ...this.#sources.seen(), addresses };
    const said = textOf(what);
    const issued = unixSeconds(this.#clock);
    const known = this.#signed;
    const isFresh = known !== undefined && Math.abs(issued - known.issued) < resignSeconds;
    if (isFresh && known.said === said) return known.bytes;
    const bytes = this.#sign(what, issued);
    this.#signed = { bytes, said, issued };
    return bytes;
  };

  /** The addresses have changed: the next one who asks is told. */
  changed(): void {
    this.#lookedMs = Number.NEGATIVE_INFINITY;
  }

  #sign({ addresses, udp4, udp6 }: Said, issued: number): Bytes {
    const multiaddrs = addresses.flatMap((text) => {
      const address = parsePeerAddress(text);
      return address ? [encodePeerAddress(address)] : [];
    });
    const body = {
      protocolMin: 1,
      protocolMax: 1,
      capabilities: 0,
      udp4,
      udp6,
      multiaddrs,
      software: programName,
    };
    // The time as version: it grows without anything being remembered.
    return makeContactRecord(body, { issued, seq: seqOf(0, issued) }, this.#signer).bytes;
  }
}

function textOf({ addresses, udp4, udp6 }: Said): string {
  return [...addresses, ...[udp4, udp6].map((at) => (at ? formatEndpoint(at) : ''))].join();
}
