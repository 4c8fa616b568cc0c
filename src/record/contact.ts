/**
 * Contact records: what a node says of itself, signed. They travel in PING replies and are never
 * stored for others: STORE answers KIND.
 */
import type { Endpoint } from '../base/address.ts';
import { type Bytes, concatBytes } from '../base/bytes.ts';
import {
  bodyCodec,
  bytesListField,
  mappedField,
  optional,
  type OptionalField,
  textField,
  uintField,
} from './codec.ts';
import type { SignedRecord } from './envelope.ts';
import { recordKinds } from './kinds.ts';
import { type Signer, type Stamp, stampRecord } from './stamp.ts';

export interface ContactBody {
  /** Lowest and highest version of the packet protocol that it speaks: 1–255. */
  readonly protocolMin: number;
  readonly protocolMax: number;
  /** Bits of what it offers; none has a meaning yet. */
  readonly capabilities: number;
  readonly udp4?: Endpoint | undefined;
  readonly udp6?: Endpoint | undefined;
  /** Up to 4 binary multiaddrs of up to 80 bytes, not yet looked at. */
  readonly multiaddrs: readonly Bytes[];
  /** Name and version of the program, 1–16 bytes. */
  readonly software?: string | undefined;
}

export const contactLifetimeSecondsMax: number = 24 * 3600;
export const contactBytesMax = 600;

const live = bodyCodec<ContactBody>({
  protocolMin: uintField(1, { max: 255 }),
  protocolMax: uintField(2, { max: 255 }),
  capabilities: uintField(3, { max: 0xffff_ffff }),
  udp4: endpointField(4, 4),
  udp6: endpointField(5, 16),
  multiaddrs: bytesListField(6, { countMax: 4, bytesMax: 80 }),
  software: optional(textField(7, { bytesMax: 16 })),
});

/** Address, then port, big-endian. */
function endpointField(number: number, ipBytes: 4 | 16): OptionalField<Endpoint> {
  return optional(
    mappedField(number, {
      parse(bytes) {
        if (bytes.length !== ipBytes + 2) return undefined;
        const port = (bytes[ipBytes] ?? 0) * 256 + (bytes[ipBytes + 1] ?? 0);
        return port === 0 ? undefined : { ip: bytes.slice(0, ipBytes), port };
      },
      encode: ({ ip, port }) => concatBytes(ip, Uint8Array.of(port >> 8, port & 255)),
    }),
  );
}

/** Undefined for another kind, or a body that breaks a limit; a contact has no tombstone. */
export function parseContact(record: SignedRecord): ContactBody | undefined {
  if (record.kind !== recordKinds.contact || record.tombstone) return undefined;
  if (record.bytes.length > contactBytesMax) return undefined;
  const body = live.parse(record.fields);
  return body && body.protocolMin >= 1 && body.protocolMin <= body.protocolMax ? body : undefined;
}

/** Its key is the node ID: SHA-256 of the node key that signs it. */
export function makeContactRecord(body: ContactBody, stamp: Stamp, signer: Signer): SignedRecord {
  const what = { kind: recordKinds.contact, tombstone: false, key: signer.key.id };
  const lifetimeSecondsMax = contactLifetimeSecondsMax;
  return stampRecord({ ...what, body: live.encode(body), lifetimeSecondsMax }, stamp, signer);
}
