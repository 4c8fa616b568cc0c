/**
 * Which router this machine sends everything through by default, and which of its own addresses it
 * does so from. IPv4 only: an IPv6 address needs no mapping. It asks the system, never the network.
 */
import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { readFile } from 'node:fs/promises';
import { isIPv4 } from 'node:net';
import process from 'node:process';

export interface DefaultRoute {
  /** IPv4 address of the router. */
  readonly gateway: string;
  /** This machine's own address towards it. */
  readonly local: string;
}

const netstatMs = 3000;
const netstatBytesMax = 256 * 1024;
/** Where the question would go; nothing is sent. */
const anyPort = 9;

/** Undefined where there is none, or where it cannot be told. Never rejects. */
export async function defaultRoute(): Promise<DefaultRoute | undefined> {
  try {
    const gateway =
      process.platform === 'linux'
        ? parseProcRoute(await readFile('/proc/net/route', 'utf8'))
        : parseNetstat(await netstat());
    if (gateway === undefined) return undefined;
    const local = await localAddressTo(gateway);
    return isIPv4(local) && local !== '0.0.0.0' ? { gateway, local } : undefined;
  } catch {
    return undefined; // no such file, no such program, no way to the gateway: no route
  }
}

/** The gateway of the default route with the lowest metric in the text of /proc/net/route. */
export function parseProcRoute(text: string): string | undefined {
  const routes = text.split('\n').flatMap((line) => {
    const [, destination, gateway = '', , , , metric, mask] = line.trim().split(/\s+/);
    const isDefault = destination === '00000000' && mask === '00000000';
    if (!isDefault || !/^[0-9A-F]{8}$/.test(gateway) || gateway === '00000000') return [];
    return [{ gateway: littleEndianIp(gateway), metric: Number(metric) }];
  });
  return routes.toSorted((a, b) => a.metric - b.metric)[0]?.gateway;
}

/** "0101A8C0" is 192.168.1.1. */
function littleEndianIp(hex: string): string {
  const octets = hex.match(/../g) ?? [];
  return octets
    .map((octet) => Number.parseInt(octet, 16))
    .toReversed()
    .join('.');
}

/** The same in what `netstat -rn` prints on macOS ("default …") and Windows ("0.0.0.0 …"). */
export function parseNetstat(text: string): string | undefined {
  for (const line of text.split('\n')) {
    const words = line.trim().split(/\s+/);
    const gateway = words[0] === 'default' ? words[1] : words[2];
    const isDefault = words[0] === 'default' || (words[0] === '0.0.0.0' && words[1] === '0.0.0.0');
    if (isDefault && gateway !== undefined && isIPv4(gateway)) return gateway;
  }
  return undefined;
}

function netstat(): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const limits = { timeout: netstatMs, maxBuffer: netstatBytesMax, windowsHide: true };
  execFile('netstat', ['-rn'], limits, (error, stdout) => {
    if (error) reject(error);
    else resolve(stdout);
  });
  return promise;
}

/** A connected datagram socket has chosen its address, without a packet. */
async function localAddressTo(gateway: string): Promise<string> {
  const socket = createSocket('udp4');
  try {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    socket.once('error', reject);
    // A callback given to connect() would be told of its failure too, in place of 'error'.
    socket.once('connect', resolve);
    socket.connect(anyPort, gateway);
    await promise;
    return socket.address().address;
  } finally {
    socket.close();
  }
}
