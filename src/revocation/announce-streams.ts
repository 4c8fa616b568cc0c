/**
 * `/altnet/announce/1`: a revoker's record, sent over a connection that is open anyway. It reaches
 * those who are in nobody's routing table because they cannot be asked (docs/spec/revocation.md).
 */
import { asBuffer, type Bytes, concatBytes, equalBytes, toHex } from '../base/bytes.ts';
import type { World } from '../base/clock.ts';
import { AltNetError } from '../base/errors.ts';
import { SourceRate } from '../dht/holding/source-rate.ts';
import { keyId } from '../identity/key.ts';
import type { ByteStream } from '../peer/stream.ts';
import { recordBytesMax, type SignedRecord } from '../record/envelope.ts';

export const announceProtocol = '/altnet/announce/1';

export interface AnnounceConnections {
  connections(): readonly { readonly publicKey: Bytes }[];
  handle(protocol: string, handler: (stream: ByteStream) => Promise<void>): Promise<void>;
  open(
    target: { readonly publicKey: Bytes; readonly addresses: readonly string[] },
    protocol: string,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<ByteStream>;
}

/** Connected peers that one record is sent to. */
export const connectedMax = 16;
/** Streams from one peer in a minute: a revoker has one record a minute. */
const perPeerMinuteMax = 20;
const patienceMs = 5000;
const lengthBytes = 2;
const heard: Bytes = Uint8Array.of(0);
/** An envelope without a body. */
const recordBytesMin = 158;

export class AnnounceStreams {
  readonly #connections: AnnounceConnections;
  readonly #world: World;
  readonly #onRecord: (record: Bytes, from: Bytes) => void;
  readonly #rate: SourceRate;

  constructor(
    connections: AnnounceConnections,
    world: World,
    onRecord: (record: Bytes, from: Bytes) => void,
  ) {
    this.#connections = connections;
    this.#world = world;
    this.#onRecord = onRecord;
    this.#rate = new SourceRate(world.clock, perPeerMinuteMax);
  }

  start(): Promise<void> {
    return this.#connections.handle(announceProtocol, (stream) => this.#serve(stream));
  }

  /** To some of those who are connected, by lot. Resolves when it was sent; never rejects. */
  async send(
    { bytes }: Pick<SignedRecord, 'bytes'>,
    { except, signal }: { readonly except: readonly Bytes[]; readonly signal: AbortSignal },
  ): Promise<void> {
    const peers = this.#drawn(except);
    await Promise.allSettled(peers.map((publicKey) => this.#sendTo(publicKey, bytes, signal)));
  }

  async #sendTo(publicKey: Bytes, bytes: Bytes, signal: AbortSignal): Promise<void> {
    const target = { publicKey, addresses: [] }; // only over what is open
    const stream = await this.#connections.open(target, announceProtocol, { signal });
    const cancel = this.#world.timers.after(patienceMs, () => stream.abort(tooSlow()));
    try {
      await stream.write(framed(bytes));
      await answered(stream); // what is closed at once may get lost on its way
      await stream.close();
    } finally {
      cancel();
    }
  }

  /** Never rejects for what the peer does. */
  async #serve(stream: ByteStream): Promise<void> {
    const cancel = this.#world.timers.after(patienceMs, () => stream.abort(tooSlow()));
    try {
      const record = await readRecord(stream);
      if (record && !this.#isTooMuch(stream.remote)) this.#onRecord(record, keyId(stream.remote));
      if (record) await stream.write(heard);
      await stream.close();
    } catch {
      stream.abort(tooSlow()); // it broke off: there is nothing to lose
    } finally {
      cancel();
    }
  }

  #isTooMuch(peer: Bytes): boolean {
    return this.#rate.take(toHex(peer)) > 0;
  }

  #drawn(except: readonly Bytes[]): readonly Bytes[] {
    const byKey = new Map(
      this.#connections.connections().map(({ publicKey }) => [toHex(publicKey), publicKey]),
    ); // BOUNDED by the connections
    return [...byKey.values()]
      .filter((publicKey) => publicKey.length === 32)
      .filter((publicKey) => !except.some((id) => equalBytes(id, keyId(publicKey))))
      .map((publicKey) => ({ publicKey, lot: this.#world.random.fraction() }))
      .toSorted((a, b) => a.lot - b.lot)
      .slice(0, connectedMax)
      .map(({ publicKey }) => publicKey);
  }
}

/** Undefined when what is announced has no length that a record can have, or breaks off. */
async function readRecord(stream: ByteStream): Promise<Bytes | undefined> {
  let octets: Bytes = new Uint8Array();
  for await (const chunk of stream.read) {
    octets = concatBytes(octets, chunk);
    if (octets.length < lengthBytes) continue;
    const length = asBuffer(octets).readUInt16BE(0);
    if (length < recordBytesMin || length > recordBytesMax) return undefined;
    if (octets.length > lengthBytes + length) return undefined;
    if (octets.length === lengthBytes + length) return octets.subarray(lengthBytes);
  }
  return undefined;
}

/** Resolves when the peer has said that it read the record, or has closed its side. */
async function answered(stream: ByteStream): Promise<void> {
  for await (const chunk of stream.read) if (chunk.length > 0) return;
}

function framed(record: Bytes): Bytes {
  const head = Buffer.alloc(lengthBytes);
  head.writeUInt16BE(record.length, 0);
  return concatBytes(head, record);
}

function tooSlow(): AltNetError {
  return new AltNetError('ABORTED', {});
}
