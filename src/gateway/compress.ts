/**
 * Compresses bodies on the fly, a few at a time and never a large one: whoever comes while others
 * are at it gets plain bytes. The work is done beside this thread. It knows no HTTP.
 */
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip, zstdCompress } from 'node:zlib';
import type { Bytes } from '../base/bytes.ts';
import type { Encoding } from './encodings.ts';

/** Less would fit into one packet anyway. */
const bytesMin = 1024;
/** More takes too long to wait for: it goes out as it is read. */
const bytesMax = 4 * 1024 * 1024;
/** What is not smaller than this part of the plain bytes is not worth unpacking. */
const shareMax = 0.95;

const {
  BROTLI_PARAM_QUALITY: brotliQuality,
  BROTLI_PARAM_MODE: brotliMode,
  BROTLI_MODE_TEXT: brotliText,
  ZSTD_c_compressionLevel: zstdLevel,
} = constants;

type Compress = (bytes: Bytes) => Promise<Bytes>;

const [gzipped, brotlied, zstded] = [
  promisify(gzip),
  promisify(brotliCompress),
  promisify(zstdCompress),
];

/** Low levels: someone waits, and this machine has other things to do. */
const byEncoding: Readonly<Record<Encoding, Compress>> = {
  gzip: (bytes) => gzipped(bytes, { level: 5 }),
  br: (bytes) => brotlied(bytes, { params: { [brotliQuality]: 4, [brotliMode]: brotliText } }),
  zstd: (bytes) => zstded(bytes, { params: { [zstdLevel]: 3 } }),
};

/** Whether a body of so many bytes is worth it. */
export function isWorthCompressing(size: number): boolean {
  return size >= bytesMin && size <= bytesMax;
}

export class Compressor {
  readonly #atOnceMax: number;
  #running = 0;

  constructor({ atOnceMax }: { readonly atOnceMax: number }) {
    this.#atOnceMax = atOnceMax;
  }

  get isBusy(): boolean {
    return this.#running >= this.#atOnceMax;
  }

  /**
   * What `read` brings, in this encoding; or as it was read where that is hardly smaller.
   * Whoever asks has seen that it is not busy. Rejects like `read`.
   */
  async compress(
    read: () => Bytes | Promise<Bytes>,
    encoding: Encoding,
  ): Promise<{ readonly bytes: Bytes; readonly isEncoded: boolean }> {
    this.#running++;
    try {
      const plain = await read();
      const encoded = await byEncoding[encoding](plain);
      const isEncoded = encoded.length <= plain.length * shareMax;
      return { bytes: isEncoded ? encoded : plain, isEncoded };
    } finally {
      this.#running--;
    }
  }
}
