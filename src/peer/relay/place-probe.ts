/**
 * Whether a place at a relay works: a stranger, made for this one question, connects to the relay
 * and from there to this very node, and some octets go there and back. Nobody else is asked, so
 * nobody can have a node dial for him, and none has to be believed. When it is asked, and what
 * follows, others decide.
 */
import { type Bytes, equalBytes, toHex } from '../../base/bytes.ts';
import type { World } from '../../base/clock.ts';
import { AltNetError } from '../../base/errors.ts';
import { SigningKey } from '../../identity/key.ts';
import { PeerHost } from '../host.ts';
import { formatPeerAddress, type RelayedAddress } from '../peer-address.ts';
import type { ByteStream } from '../stream.ts';
import type { StreamHandler } from '../streams.ts';

/** What this node says to itself: nobody else is answered, and nobody else asks. */
export const probeProtocol = '/altnet/probe/1';
/** More than a relay would let through that passes on handshakes alone. */
const pieceBytes = 16 * 1024;

export interface ProbedHost {
  handle(protocol: string, handler: StreamHandler): Promise<void>;
}

export class PlaceProbe {
  readonly #host: ProbedHost;
  readonly #self: Bytes;
  readonly #world: World;
  /** Node keys of those that this node made. BOUNDED by the places that are tested at a time. */
  readonly #strangers = new Set<string>();

  constructor(host: ProbedHost, self: Bytes, world: World) {
    this.#host = host;
    this.#self = self;
    this.#world = world;
  }

  /** Answers as long as the host does. */
  async start(): Promise<void> {
    await this.#host.handle(probeProtocol, (stream) => this.#answer(stream));
  }

  /** Resolves when the octets came back; rejects for whatever reason, or with the signal's. */
  readonly run = async (place: RelayedAddress, signal: AbortSignal): Promise<void> => {
    const key = new SigningKey('node', this.#world.random.bytes(32));
    const name = toHex(key.publicKey);
    const stranger = new PeerHost({ key, listen: [], world: this.#world });
    this.#strangers.add(name);
    try {
      await stranger.start();
      const target = { publicKey: this.#self, addresses: [formatPeerAddress(place)] };
      const stream = await stranger.open(target, probeProtocol, { signal });
      await sendAround(stream, this.#world.random.bytes(pieceBytes), signal);
    } finally {
      this.#strangers.delete(name);
      await stranger.stop();
    }
  };

  /** Sends back what comes, at most as much as was sent. */
  async #answer(stream: ByteStream): Promise<void> {
    if (!this.#strangers.has(toHex(stream.remote))) {
      return stream.abort(new Error('this node asks nobody but itself'));
    }
    try {
      let left = pieceBytes;
      for await (const chunk of stream.read) {
        left -= chunk.length;
        if (left < 0) break;
        await stream.write(chunk);
      }
      await stream.close();
    } catch {
      // The stranger has what it wanted, or the relay broke off: it says so itself.
    }
  }
}

async function sendAround(stream: ByteStream, sent: Bytes, signal: AbortSignal): Promise<void> {
  const onAbort = (): void => stream.abort(new AltNetError('ABORTED', {}));
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    signal.throwIfAborted();
    await stream.write(sent);
    let at = 0;
    for await (const chunk of stream.read) {
      if (!equalBytes(chunk, sent.subarray(at, at + chunk.length))) throw lost('other octets');
      at += chunk.length;
      if (at === sent.length) return;
    }
    throw lost('too few octets');
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function lost(what: string): AltNetError {
  return new AltNetError('UNREACHABLE', { what: 'this node', why: `${what} came back` });
}
