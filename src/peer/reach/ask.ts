/** Asks one question of `/altnet/reach/1` on a stream that is open. */
import type { Stream } from '@libp2p/interface';
import type { Bytes } from '../../base/bytes.ts';
import { AltNetError } from '../../base/errors.ts';
import { greeting } from '../greeting.ts';
import { type ByteStream, byteStream } from '../stream.ts';
import { Pieces } from './pieces.ts';
import {
  decodeAnswer,
  encodeQuestion,
  type ReachAnswer,
  reachAnswerBytes,
  reachProtocol,
  type ReachQuestion,
} from './reach-frames.ts';

/** Rejects with UNREACHABLE, or with the signal's reason. The stream is done with. */
export async function ask(
  stream: ByteStream,
  question: ReachQuestion,
  signal: AbortSignal,
): Promise<ReachAnswer> {
  const onAbort = (): void => stream.abort(new AltNetError('ABORTED', {}));
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    signal.throwIfAborted();
    await stream.write(encodeQuestion(question));
    const bytes = await new Pieces(stream.read, reachAnswerBytes).next();
    const answer = bytes && decodeAnswer(bytes);
    if (!answer) {
      throw new AltNetError('UNREACHABLE', { what: 'the peer', why: 'it answered nonsense' });
    }
    void stream.close();
    return answer;
  } catch (error) {
    stream.abort(new Error('no answer'));
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** On a stream of a connection of which libp2p knows nothing. */
export function askOnLine(
  raw: Stream,
  { remote, signal }: { readonly remote: Bytes; readonly signal: AbortSignal },
): Promise<ReachAnswer> {
  const expected = greeting(reachProtocol);
  raw.send(expected);
  return ask(byteStream(raw, remote, { expected }), { type: 'seen' }, signal);
}
