/** The local networks that this machine is in, by IPv4: where neighbours are asked for. */
import { networkInterfaces } from 'node:os';
import { parseIp, scopeOf } from '../base/address.ts';
import type { Bytes } from '../base/bytes.ts';

export interface LanInterface {
  /** This machine's address there. */
  readonly address: string;
  readonly netmask: string;
}

/** More are left out: machines that run many containers have dozens. */
const interfacesMax = 8;

/** Private and link-local addresses only: on a public one the neighbours are strangers. */
export function lanInterfaces(): LanInterface[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, family }) => !internal && family === 'IPv4')
    .filter(({ address }) => {
      const ip = parseIp(address);
      return ip !== undefined && scopeOf(ip) === 'private';
    })
    .slice(0, interfacesMax)
    .map(({ address, netmask }) => ({ address, netmask }));
}

/** Whether `ip` is in the network of this interface. */
export function isOnLink(ip: Bytes, { address, netmask }: LanInterface): boolean {
  const [own, mask] = [parseIp(address), parseIp(netmask)];
  if (ip.length !== 4 || own?.length !== 4 || mask?.length !== 4) return false;
  return ip.every((byte, i) => ((byte ^ (own[i] ?? 0)) & (mask[i] ?? 0)) === 0);
}
