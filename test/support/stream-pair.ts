/** Two ends of a stream in memory, as src/peer/stream.ts gives them, for tests of what is said. */
import { AltNetError } from '../../src/base/errors.ts';
import type { Bytes } from '../../src/base/bytes.ts';
import type { ByteStream } from '../../src/peer/stream.ts';

class OneWay {
  readonly #chunks: Bytes[] = []; // BOUNDED by the test
  #failure: Error | undefined;
  #isOver = false;
  #wake: () => void = () => undefined;

  push(bytes: Bytes): void {
    this.#chunks.push(bytes);
    this.#wake();
  }

  end(failure?: Error): void {
    this.#failure ??= failure;
    this.#isOver = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Bytes, void, undefined> {
    for (;;) {
      if (this.#failure) throw this.#failure;
      const chunk = this.#chunks.shift();
      if (chunk) yield chunk;
      else if (this.#isOver) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

/** Each end says that the other one has this key. */
export function streamPair(remote: Bytes = new Uint8Array(32)): readonly [ByteStream, ByteStream] {
  const [there, back] = [new OneWay(), new OneWay()];
  return [end(remote, back, there), end(remote, there, back)];
}

function end(remote: Bytes, read: OneWay, written: OneWay): ByteStream {
  let isOpen = true;
  return {
    remote,
    read,
    async write(bytes) {
      if (!isOpen) throw new AltNetError('UNREACHABLE', { what: 'the peer', why: 'closed' });
      written.push(bytes);
    },
    async close() {
      isOpen = false;
      written.end();
    },
    abort(reason) {
      isOpen = false;
      written.end(new AltNetError('UNREACHABLE', { what: 'the peer', why: 'reset' }));
      read.end(reason);
    },
  };
}
