/**
 * Streams that do not wait for the answer to a negotiation: a peer is asked for a protocol because
 * it is known to have it, so what comes after the answer is sent right behind the question. On the
 * wire it is multistream-select, in octets that any libp2p peer understands.
 */
import type { Stream } from '@libp2p/interface';
import type { yamux } from '@libp2p/yamux';
import { type Bytes, concatBytes, equalBytes, utf8 } from '../base/bytes.ts';
import { readShortWay } from './yamux-reader.ts';
import { writeShortWay } from './yamux-writer.ts';

type MuxerMaker = ReturnType<typeof yamux>;

/** A line of multistream-select: its length, which is below 128 here, the text, a line feed. */
function line(text: string): Bytes {
  const bytes = utf8(`${text}\n`);
  return concatBytes(Uint8Array.of(bytes.length), bytes);
}

/** What asks for `protocol`; a peer that agrees answers with the same octets. */
export function greeting(protocol: string): Bytes {
  return concatBytes(line('/multistream/1.0.0'), line(protocol));
}

/** Takes an answer that is known beforehand off the front of what comes. */
export class Greeting {
  #expected: Bytes;

  constructor(expected: Bytes) {
    this.#expected = expected;
  }

  get isOver(): boolean {
    return this.#expected.length === 0;
  }

  /** What of `chunk` comes after the answer; undefined when the answer is another one. */
  take(chunk: Bytes): Bytes | undefined {
    const length = Math.min(chunk.length, this.#expected.length);
    if (!equalBytes(chunk.subarray(0, length), this.#expected.subarray(0, length))) {
      return undefined;
    }
    this.#expected = this.#expected.subarray(length);
    return chunk.subarray(length);
  }
}

/** Streams for which `isKnown` holds are open at once; their opener sends the greeting. */
export function eagerMuxer(make: MuxerMaker, isKnown: (protocol: string) => boolean): MuxerMaker {
  return () => {
    const factory = make();
    const create = factory.createStreamMuxer.bind(factory);
    factory.createStreamMuxer = (connection) => {
      const muxer = create(connection);
      readShortWay(muxer, connection);
      writeShortWay(muxer, connection);
      const createStream = muxer.createStream.bind(muxer);
      muxer.createStream = async (options): ReturnType<typeof createStream> => {
        const stream = await createStream(options);
        const { protocol } = options ?? {};
        if (protocol !== undefined && isKnown(protocol)) nameStream(stream, protocol);
        return stream;
      };
      return muxer;
    };
    return factory;
  };
}

function nameStream(stream: Stream, protocol: string): void {
  stream.protocol = protocol;
}
