/**
 * The attackers of bench/flood.ts. `junk` and `mac1` send INITs of random octets from many loopback
 * addresses, without and with a valid mac1; `sealed` asks for real and waits for answers. It sends
 * so many per second until its stdin ends, and prints how many it has sent at every line.
 *
 * node bench/flood-source.ts MODE PORT PER_SECOND
 */
import { randomFillSync } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { hmacSha256 } from '../src/base/hash.ts';
import type { Contact } from '../src/identity/contact.ts';
import { mac1KeyOf } from '../src/rpc/peers.ts';
import { encodeInit, initBytesMin, mac1Parts, setMac1 } from '../src/wire/packets.ts';
import { sealedTransport, serverAt } from './sealed.ts';

const [, , mode = '', portText = '', perSecondText = ''] = process.argv;
const port = Number(portText);
const perSecond = Number(perSecondText);
const sourcesMax = 256;
const tickMs = 4;
const inFlightMax = 512;
const message1Bytes = initBytesMin - 44;

const victim: Contact = serverAt(port);
const mac1Key: Uint8Array = mac1KeyOf(victim.publicKey);
let sent = 0;

/** Everything that a stranger can make without the handshake: it costs the sender next to nothing. */
function forgedInit(): Uint8Array {
  const txid = randomFillSync(new Uint8Array(8));
  const message1 = randomFillSync(new Uint8Array(message1Bytes));
  message1[31] = (message1[31] ?? 0) & 0x3f; // a canonical key: the handshake must get to its DH
  const init = encodeInit({ txid, message1 });
  if (mode === 'mac1') setMac1(init, hmacSha256(mac1Key, ...mac1Parts(init)).subarray(0, 16));
  return init;
}

async function sourceAt(index: number): Promise<Socket> {
  const socket = createSocket({ type: 'udp4' });
  socket.on('error', () => undefined); // the victim's buffer may be full
  socket.bind(0, `127.1.${index >> 7}.${(index & 127) + 1}`);
  await once(socket, 'listening');
  return socket;
}

async function startForging(): Promise<() => void> {
  const sources = await Promise.all(Array.from({ length: sourcesMax }, (_, i) => sourceAt(i)));
  return () => {
    sources[sent % sourcesMax]?.send(forgedInit(), port, '127.0.0.1');
    sent += 1;
  };
}

async function startAsking(): Promise<() => void> {
  const client = sealedTransport('source', { runningMax: inFlightMax });
  await client.start();
  let inFlight = 0;
  return () => {
    if (inFlight >= inFlightMax) return;
    inFlight += 1;
    sent += 1;
    client
      .call(victim, { method: 'find', target: new Uint8Array(32) })
      .catch(() => undefined)
      .finally(() => (inFlight -= 1));
  };
}

const sendOne = mode === 'sealed' ? await startAsking() : await startForging();
console.log('ready');
const beganMs = performance.now();
let due = 0;
setInterval(() => {
  const wanted = ((performance.now() - beganMs) / 1000) * perSecond;
  // What this process was too slow for is not made up for in one go.
  due = Math.max(due, wanted - perSecond / 20);
  for (; due < wanted; due++) sendOne();
}, tickMs);
createInterface({ input: process.stdin }).on('line', () => console.log(sent));
process.stdin.on('end', () => process.exit());
