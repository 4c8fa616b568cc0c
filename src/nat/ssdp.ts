/**
 * Where the default gateway describes itself (UPnP's discovery, SSDP): one question to all, to
 * which only that gateway's answer counts. Nothing listens for what others announce by themselves.
 */
import { createSocket } from 'node:dgram';
import { type Abortable, sleep } from '../base/abort.ts';
import type { Timers } from '../base/clock.ts';
import type { DefaultRoute } from './default-route.ts';
import { RouterRefusal } from './router.ts';
import { routerUrl } from './url.ts';

const group = '239.255.255.250';
const groupPort = 1900;
const hopsMax = 2;
const answerBytesMax = 2048;
/** Each question goes out twice, as datagrams get lost. */
const waitsMs = [1000, 1500];
/** Gateways of the second version answer to the first as well, but not all do. */
const wanted = [1, 2].map(
  (version) => `urn:schemas-upnp-org:device:InternetGatewayDevice:${version}`,
);

function question(target: string): string {
  const lines = [
    'M-SEARCH * HTTP/1.1',
    `HOST: ${group}:${groupPort}`,
    'MAN: "ssdp:discover"',
    'MX: 1',
    `ST: ${target}`,
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** Where the description is that an answer names; undefined where that is not at the gateway. */
export function parseAnswer(text: string, gateway: string): URL | undefined {
  const [first = '', ...headers] = text.split('\r\n');
  if (!/^HTTP\/1\.[01] 200\b/.test(first)) return undefined;
  const location = headers.find((line) => /^location:/i.test(line));
  if (location === undefined) return undefined;
  return routerUrl(location.slice('location:'.length).trim(), gateway);
}

/** Rejects with RouterRefusal when the gateway does not answer. */
export async function findDescription(
  { gateway, local }: DefaultRoute,
  { timers, signal }: Abortable & { readonly timers: Timers },
): Promise<URL> {
  signal?.throwIfAborted();
  const socket = createSocket('udp4');
  const over = new AbortController();
  const until = AbortSignal.any([over.signal, ...(signal ? [signal] : [])]);
  const { promise: found, resolve, reject } = Promise.withResolvers<URL>();
  socket.on('error', (cause) => reject(new RouterRefusal('no question can be sent', { cause })));
  socket.on('message', (message, { address }) => {
    if (address !== gateway || message.length > answerBytesMax) return;
    const location = parseAnswer(message.toString('latin1'), gateway);
    if (location) resolve(location);
  });
  const ask = async (): Promise<never> => {
    const { promise: bound, resolve: onBound } = Promise.withResolvers<void>();
    socket.bind({ port: 0, address: local }, onBound);
    await Promise.race([bound, found]);
    socket.setMulticastInterface(local);
    socket.setMulticastTTL(hopsMax);
    for (const ms of waitsMs) {
      for (const target of wanted) socket.send(question(target), groupPort, group);
      await sleep(timers, ms, until);
    }
    throw new RouterRefusal('it does not answer');
  };
  try {
    return await Promise.race([found, ask()]);
  } finally {
    over.abort();
    socket.close();
  }
}
