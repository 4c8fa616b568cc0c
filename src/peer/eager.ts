/**
 * Streams that do not wait for the answer to a negotiation: a peer is asked for a protocol because
 * it is known to have it, so what comes after the answer is sent right behind the question. On the
 * wire it is multistream-select, in octets that any libp2p peer understands.
 */
import type { Stream } from '@libp2p/interface';
import type { yamux } from '@libp2p/yamux';
import { readShortWay } from './yamux-reader.ts';
import { writeShortWay } from './yamux-writer.ts';

type MuxerMaker = ReturnType<typeof yamux>;

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
