/** Network profiles: nodes of different profiles do not understand each other. */
import { encode, rfc8949EncodeOptions } from 'cborg';
import { type Bytes, utf8 } from '../base/bytes.ts';
import { sha256 } from '../base/hash.ts';

export interface NetworkProfile {
  readonly name: string;
  /** Leading zero bits of work that an open-zone name costs. */
  readonly powNameBits: number;
  /** Leading zero bits of work that a link costs. */
  readonly powLinkBits: number;
}

export type NetworkProfileName = 'main' | 'local';

export const networkProfiles: Readonly<Record<NetworkProfileName, NetworkProfile>> = {
  main: { name: 'main', powNameBits: 22, powLinkBits: 14 },
  /** For tests and trials on one LAN: no work to do. */
  local: { name: 'local', powNameBits: 0, powLinkBits: 0 },
};

/** 16 bytes that go into every signature and handshake: records of one network fail in another. */
export function networkId(profile: NetworkProfile): Bytes {
  const { name, powNameBits, powLinkBits } = profile;
  const body = encode({ name, powNameBits, powLinkBits }, rfc8949EncodeOptions);
  return sha256(utf8('altnet/net/1\0'), body).slice(0, 16);
}
