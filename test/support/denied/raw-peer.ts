/** A hostile peer on real sockets: it asks what it likes, in whole frames and requests. */
import { randomBytes } from 'node:crypto';
import { type Bytes, concatBytes } from '../../../src/base/bytes.ts';
import { systemWorld } from '../../../src/base/clock.ts';
import { silentLogger } from '../../../src/base/logger.ts';
import type { Link } from '../../../src/content/dag/root.ts';
import type { Want } from '../../../src/content/dag/walk.ts';
import {
  encodeRoot,
  encodeWant,
  type Frame,
  FrameReader,
  frameTypes,
  syncProtocol,
} from '../../../src/content/exchange/frames.ts';
import {
  encodeOffer,
  encodeQuestion,
  keepFrameBytesMax,
  keepProtocol,
} from '../../../src/content/replication/keep-frames.ts';
import { Slabs } from '../../../src/content/slabs.ts';
import type { ReplyTo, Request } from '../../../src/dht/ports.ts';
import { type Contact, contactOf } from '../../../src/identity/contact.ts';
import { SigningKey } from '../../../src/identity/key.ts';
import { PeerHost } from '../../../src/peer/host.ts';
import type { ByteStream } from '../../../src/peer/stream.ts';
import type { SignedRecord } from '../../../src/record/envelope.ts';
import { storeStatusName } from '../../../src/record/kinds.ts';
import { networkId, networkProfiles } from '../../../src/record/network.ts';
import type { Signer } from '../../../src/record/stamp.ts';
import { UdpTransport } from '../../../src/rpc/transport.ts';
import { atEnd, type Ending } from '../cleanup.ts';

const network = networkId(networkProfiles.local);

/** Whom it asks. */
export interface Target {
  readonly contact: Contact;
  /** TCP multiaddrs. */
  readonly addresses: readonly string[];
}

export class RawPeer {
  readonly node: Signer = { key: new SigningKey('node', randomBytes(32)), network };
  readonly author: Signer = { key: new SigningKey('author', randomBytes(32)), network };
  readonly #transport: UdpTransport;
  readonly #host: PeerHost;

  constructor() {
    const listen = [{ host: '127.0.0.1', port: 0 }];
    const { key } = this.node;
    const common = { world: systemWorld, log: silentLogger, network, key };
    const asServer = { contactRecord: () => undefined, isServer: () => true };
    this.#transport = new UdpTransport({ ...common, ...asServer }, { listen });
    this.#host = new PeerHost({ key, listen });
  }

  async start(t: Ending): Promise<this> {
    atEnd(t, async () => {
      await this.#transport.stop();
      await this.#host.stop();
    });
    this.#transport.serve((_, { method }) => (method === 'leave' ? { method } : undefined));
    await this.#transport.start();
    await this.#host.start();
    return this;
  }

  get contact(): Contact {
    const [endpoint] = this.#transport.address();
    if (!endpoint) throw new Error('it is started');
    return contactOf(this.node.key.publicKey, endpoint);
  }

  /** What a node answers; tokens and cookies are taken care of. */
  async call<R extends Request>({ contact }: Target, request: R): Promise<ReplyTo<R>> {
    return (await this.#transport.call(contact, request)).reply;
  }

  /** The name of the status. */
  async store(to: Target, { bytes: record }: SignedRecord): Promise<string> {
    return storeStatusName((await this.call(to, { method: 'store', record })).status);
  }

  /** What comes of one want, the END included; what a stream that is reset had brought until then. */
  async want(to: Target, want: Want, root: Bytes = want.link.hash): Promise<readonly Frame[]> {
    const asked = concatBytes(encodeRoot(root), encodeWant(want));
    return this.#ask(
      to,
      { protocol: syncProtocol, asked },
      (stream) => new FrameReader(stream.read),
    );
  }

  /** The answer to a question after some roots. */
  question(to: Target, hashes: readonly Bytes[]): Promise<readonly Frame[]> {
    return this.#keep(to, encodeQuestion(hashes));
  }

  offer(to: Target, link: Link, bytes: number): Promise<readonly Frame[]> {
    return this.#keep(to, encodeOffer({ link, bytes, files: 1, blocks: 8 }));
  }

  #keep(to: Target, asked: Bytes): Promise<readonly Frame[]> {
    return this.#ask(to, { protocol: keepProtocol, asked }, keepFramesOf);
  }

  async #ask(
    { contact: { publicKey }, addresses }: Target,
    { protocol, asked }: { readonly protocol: string; readonly asked: Bytes },
    readerOf: (stream: ByteStream) => FrameReader,
  ): Promise<readonly Frame[]> {
    const stream = await this.#host.open({ publicKey, addresses }, protocol);
    const frames: Frame[] = []; // BOUNDED by one answer
    try {
      await stream.write(asked);
      const reader = readerOf(stream);
      for (let frame = await reader.next(); frame; frame = await reader.next()) {
        frames.push(frame);
        const isAnswer = protocol === syncProtocol && frame.type === frameTypes.end;
        if (isAnswer || protocol === keepProtocol) break;
      }
    } finally {
      stream.abort(new Error('enough'));
    }
    return frames;
  }
}

function keepFramesOf({ read }: ByteStream): FrameReader {
  return new FrameReader(read, new Slabs(0), keepFrameBytesMax);
}
