/**
 * What the main thread and the one that receives say to each other, as both ends see it. It says
 * nothing itself. Large bodies lie in shared memory that the receiving thread made: it leaves them
 * alone until the main thread has given them back (lending.ts). What is taken, and given back, is
 * counted in shared memory as well (account.ts), so that nobody is woken for it.
 */
import type { Bytes } from '../../base/bytes.ts';
import type { Certificate } from '../../peer/certificates.ts';

/** What the receiving thread is started with. */
export interface ReceptionData {
  /** Which slabs are lent, see lending.ts. */
  readonly lent: SharedArrayBuffer;
}

/** Memory that is used again, by the number that both ends call it. */
export interface Slab {
  readonly number: number;
  readonly buffer: SharedArrayBuffer;
}

/** Streams have numbers, which the main thread chooses. */
export type Order =
  | {
      readonly kind: 'open';
      readonly stream: number;
      /** Multiaddrs, as any node says them. */
      readonly addresses: readonly string[];
      /** SHA-256, in hexadecimal, of the certificates that are known to be the peer's. */
      readonly proofs: readonly string[];
      /** Of the node key: peers see one node, whichever thread talks to them. */
      readonly certificate: Certificate;
      /** What is taken of this stream, see account.ts. */
      readonly account: SharedArrayBuffer;
    }
  | { readonly kind: 'write'; readonly stream: number; readonly bytes: Bytes }
  /** Something was taken, and this stream was said to wait for it. */
  | { readonly kind: 'took'; readonly stream: number }
  | { readonly kind: 'close'; readonly stream: number }
  | { readonly kind: 'abort'; readonly stream: number };

/** done: the peer closed it. rule: it sent what is no frame. broken: it, or the way to it, is. */
export type StreamEnd = 'done' | 'rule' | 'broken';

export type News =
  | { readonly kind: 'opened'; readonly stream: number }
  | {
      readonly kind: 'frames';
      readonly stream: number;
      /**
       * Three numbers for each frame, as arrays of numbers cross at a tenth of what objects cost:
       * its type, the slab at the beginning of which its body lies (or -1), the octets of that.
       */
      readonly frames: readonly number[];
      /** SHA-256 of each block among them, as `sha256Text`. */
      readonly digests: readonly string[];
      /** Those bodies that lie in no slab, one behind the other. */
      readonly bodies: Bytes;
      /** Slabs that are new since the last news. */
      readonly made: readonly Slab[];
    }
  /** Octets have come that are no whole frame yet. */
  | { readonly kind: 'heard'; readonly stream: number }
  | {
      readonly kind: 'over';
      readonly stream: number;
      readonly end: StreamEnd;
      readonly why: string;
    };

/** About what a frame takes on its way besides its body. */
const frameOverheadBytes = 128;

/** What a frame counts among what is not taken: many without a body are bounded by it as well. */
export function takenBytes(bodyBytes: number): number {
  return bodyBytes + frameOverheadBytes;
}
