/**
 * What the main thread and the one that receives say to each other, as both ends see it. It says
 * nothing itself. Large bodies lie in shared memory that the receiving thread made: it leaves them
 * alone until the main thread has given them back.
 */
import type { Bytes } from '../../base/bytes.ts';
import type { PeerTarget } from '../../peer/host.ts';
import type { Frame } from '../exchange/frames.ts';

/** What the receiving thread is started with. */
export interface ReceptionData {
  /** Of the node key: peers see one node, whichever thread talks to them. */
  readonly seed: Bytes;
}

/** Memory that is used again, by the number that both ends call it. */
export interface Slab {
  readonly number: number;
  readonly buffer: SharedArrayBuffer;
}

/** A frame of which the body lies in a slab, from its beginning. */
export interface SlabFrame {
  readonly type: number;
  readonly slab: number;
  readonly bytes: number;
}

/** Streams have numbers, which the main thread chooses. */
export type Order =
  | { readonly kind: 'open'; readonly stream: number; readonly target: PeerTarget }
  | { readonly kind: 'write'; readonly stream: number; readonly bytes: Bytes }
  /** So many octets of frames were used up, and these slabs are free again. */
  | {
      readonly kind: 'took';
      readonly stream: number;
      readonly bytes: number;
      readonly free: readonly number[];
    }
  | { readonly kind: 'close'; readonly stream: number }
  | { readonly kind: 'abort'; readonly stream: number };

/** done: the peer closed it. rule: it sent what is no frame. broken: it, or the way to it, is. */
export type StreamEnd = 'done' | 'rule' | 'broken';

export type News =
  | { readonly kind: 'opened'; readonly stream: number }
  | {
      readonly kind: 'frames';
      readonly stream: number;
      readonly frames: readonly (SlabFrame | Frame)[];
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
export function takenBytes(body: Bytes): number {
  return body.length + frameOverheadBytes;
}
