/**
 * NAT-PMP (RFC 6886): asking the default gateway for a mapping with datagrams of 2 or 12 octets. It
 * hears that gateway only, and takes an answer only if every octet of it is as it must be.
 */
import { createSocket, type Socket } from 'node:dgram';
import { type Abortable, abortReason, sleep } from '../base/abort.ts';
import type { Bytes } from '../base/bytes.ts';
import type { Timers } from '../base/clock.ts';
import { type MappedProtocol, type MappingGrant, type Router, RouterRefusal } from './router.ts';

const natPmpPort = 5351;
const opcodes = { address: 0, udp: 1, tcp: 2 } as const;
const answerBit = 128;
const leaseSecondsMax = 86_400;
/** The RFC doubles from 250 ms nine times, a minute and a half; routers answer in milliseconds. */
const waitsMs = [250, 500, 1000];

const results: Readonly<Record<number, string>> = {
  1: 'it speaks another version',
  2: 'it allows no mappings',
  3: 'it has no address itself',
  4: 'it has no ports left',
  5: 'it does not know the request',
};

export interface MapRequest {
  readonly protocol: MappedProtocol;
  readonly internalPort: number;
  /** 0 to delete. */
  readonly externalPort: number;
  /** 0 to delete. */
  readonly leaseSeconds: number;
}

export function encodeAddressRequest(): Bytes {
  return Uint8Array.of(0, opcodes.address);
}

export function encodeMapRequest(request: MapRequest): Bytes {
  const bytes = new Uint8Array(12);
  const view = new DataView(bytes.buffer);
  view.setUint8(1, opcodes[request.protocol]);
  view.setUint16(4, request.internalPort);
  view.setUint16(6, request.externalPort);
  view.setUint32(8, request.leaseSeconds);
  return bytes;
}

/**
 * The answer to `request`; undefined for what is none, such as a late answer to another one. Throws
 * RouterRefusal when the gateway says no.
 */
export function decodeAnswer(request: Bytes, answer: Bytes): DataView | undefined {
  const opcode = request[1] ?? 0;
  const view = new DataView(answer.buffer, answer.byteOffset, answer.length);
  if (answer.length < 4 || view.getUint8(1) !== opcode + answerBit) return undefined;
  const code = view.getUint16(2);
  if (code !== 0) throw new RouterRefusal(results[code] ?? `it refused (${code})`);
  if (view.getUint8(0) !== 0) return undefined;
  if (opcode === opcodes.address) return answer.length === 12 ? view : undefined;
  if (answer.length !== 16) return undefined;
  const sameInternalPort = view.getUint16(8) === (((request[4] ?? 0) << 8) | (request[5] ?? 0));
  return sameInternalPort ? view : undefined;
}

export class NatPmpRouter implements Router {
  readonly language = 'NAT-PMP';
  readonly #gateway: string;
  readonly #timers: Timers;
  readonly #port: number;

  /** `port`: for tests; a router listens on 5351. */
  constructor(gateway: string, { timers, port }: { timers: Timers; port?: number | undefined }) {
    this.#gateway = gateway;
    this.#timers = timers;
    this.#port = port ?? natPmpPort;
  }

  async externalIp({ signal }: Abortable): Promise<string> {
    const answer = await this.#ask(encodeAddressRequest(), signal);
    return [8, 9, 10, 11].map((at) => answer.getUint8(at)).join('.');
  }

  async map(wish: MapRequest, { signal }: Abortable): Promise<MappingGrant> {
    const answer = await this.#ask(encodeMapRequest(wish), signal);
    const [externalPort, leaseSeconds] = [answer.getUint16(10), answer.getUint32(12)];
    if (externalPort === 0 || leaseSeconds === 0) throw new RouterRefusal('it gave no mapping');
    return { externalPort, leaseSeconds: Math.min(leaseSeconds, leaseSecondsMax) };
  }

  async unmap(mapping: Omit<MapRequest, 'leaseSeconds'>, { signal }: Abortable): Promise<void> {
    await this.#ask(encodeMapRequest({ ...mapping, externalPort: 0, leaseSeconds: 0 }), signal);
  }

  async #ask(request: Bytes, signal: AbortSignal | undefined): Promise<DataView> {
    signal?.throwIfAborted();
    const socket = createSocket('udp4');
    const over = new AbortController();
    const until = AbortSignal.any([over.signal, ...(signal ? [signal] : [])]);
    try {
      await connected(socket, { host: this.#gateway, port: this.#port });
      return await Promise.race([answerTo(request, socket), this.#send(request, socket, until)]);
    } finally {
      over.abort();
      socket.close();
    }
  }

  /** Rejects when no answer came in time: the answer settles the race otherwise. */
  async #send(request: Bytes, socket: Socket, signal: AbortSignal): Promise<never> {
    for (const ms of waitsMs) {
      // A gateway without NAT-PMP refuses with an ICMP message, which `error` brings.
      socket.send(request);
      await sleep(this.#timers, ms, signal);
    }
    if (signal.aborted) throw abortReason(signal);
    throw new RouterRefusal('it does not answer');
  }
}

/** To that address only: the kernel drops what comes from any other. */
function connected(socket: Socket, { host, port }: { host: string; port: number }): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.once('error', (cause) => reject(new RouterRefusal('it cannot be reached', { cause })));
  // A callback given to connect() would be told of its failure too, in place of 'error'.
  socket.once('connect', resolve);
  socket.connect(port, host);
  return promise;
}

function answerTo(request: Bytes, socket: Socket): Promise<DataView> {
  const { promise, resolve, reject } = Promise.withResolvers<DataView>();
  socket.on('error', (cause) => reject(new RouterRefusal('it does not answer', { cause })));
  socket.on('message', (message) => {
    try {
      const answer = decodeAnswer(request, message);
      if (answer) resolve(answer);
    } catch (error) {
      reject(error instanceof Error ? error : new RouterRefusal('it refused'));
    }
  });
  return promise;
}
