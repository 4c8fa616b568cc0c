/** A holding as an entry of the table `holdings` (docs/spec/store.md). Knows bytes alone. */
import { asBuffer, type Bytes, concatBytes } from '../base/bytes.ts';
import type { HoldingKind } from '../content/ports.ts';

/**
 * writing: has not been complete yet. complete: every block below the root is here. damaged: was
 * complete and has lost blocks. going: removed; its blocks follow.
 */
export type HoldingState = 'writing' | 'complete' | 'damaged' | 'going';

export interface RootLink {
  /** SHA-256 of the root block, 32 bytes. */
  readonly hash: Bytes;
  readonly codec: 'dag-pb' | 'raw';
}

/** A holding as it is stored. */
export interface StoredHolding {
  /** Never given to another one again. */
  readonly number: number;
  readonly state: HoldingState;
  readonly kind: HoldingKind;
  /** Undefined while something is being published. */
  readonly root: RootLink | undefined;
  readonly keep: boolean;
  /** From a store of version 1: it names its blocks only once they have been adopted. */
  readonly legacy: boolean;
  readonly files: number;
  readonly bytes: number;
  readonly addedMs: number;
  readonly usedMs: number;
  readonly supersededMs: number | undefined;
  /** What the blocks that it names cost, each in full, with the memberships. */
  readonly cost: number;
  readonly from: Bytes | undefined;
  /** The network from which it was offered: "4:" or "16:" and the hexadecimal /24 or /48. */
  readonly source: string;
}

/** Whether others see it: it has a root, and is not going. */
export function isListed({ root, state }: StoredHolding): boolean {
  return root !== undefined && state !== 'going';
}

const states = ['writing', 'complete', 'damaged', 'going'] as const;
const kinds = ['own', 'replica', 'visited'] as const;
const codecs = ['dag-pb', 'raw'] as const;
const flagBits = { root: 1, keep: 2, superseded: 4, from: 8, legacy: 16 } as const;
const headBytes = 4 + 6 * 8;
const hashBytes = 32;

export function encodeHolding(holding: StoredHolding): Bytes {
  const { root, from, supersededMs } = holding;
  const head = Buffer.alloc(headBytes);
  head.writeUInt8(states.indexOf(holding.state), 0);
  head.writeUInt8(kinds.indexOf(holding.kind), 1);
  head.writeUInt8(root ? codecs.indexOf(root.codec) : 0, 2);
  head.writeUInt8(
    (root ? flagBits.root : 0) |
      (holding.keep ? flagBits.keep : 0) |
      (supersededMs === undefined ? 0 : flagBits.superseded) |
      (from ? flagBits.from : 0) |
      (holding.legacy ? flagBits.legacy : 0),
    3,
  );
  const { files, bytes, addedMs, usedMs, cost } = holding;
  for (const [i, value] of [files, bytes, addedMs, usedMs, supersededMs ?? 0, cost].entries()) {
    head.writeDoubleBE(value, 4 + 8 * i);
  }
  const source = Buffer.from(holding.source, 'latin1');
  return concatBytes(head, root?.hash ?? new Uint8Array(), from ?? new Uint8Array(), source);
}

/** Undefined for what this version cannot read: a newer program may have left it. */
export function decodeHolding(number: number, value: Bytes): StoredHolding | undefined {
  if (value.length < headBytes) return undefined;
  const head = asBuffer(value);
  const state = states[head.readUInt8(0)];
  const kind = kinds[head.readUInt8(1)];
  const codec = codecs[head.readUInt8(2)];
  if (!state || !kind || !codec) return undefined;
  const flags = head.readUInt8(3);
  const has = (bit: number): boolean => (flags & bit) !== 0;
  const rootEnd = headBytes + (has(flagBits.root) ? hashBytes : 0);
  const fromEnd = rootEnd + (has(flagBits.from) ? hashBytes : 0);
  if (value.length < fromEnd) return undefined;
  const numberAt = (i: number): number => head.readDoubleBE(4 + 8 * i);
  return {
    number,
    state,
    kind,
    root: has(flagBits.root)
      ? { codec, hash: new Uint8Array(value.subarray(headBytes, rootEnd)) }
      : undefined,
    keep: has(flagBits.keep),
    legacy: has(flagBits.legacy),
    files: numberAt(0),
    bytes: numberAt(1),
    addedMs: numberAt(2),
    usedMs: numberAt(3),
    supersededMs: has(flagBits.superseded) ? numberAt(4) : undefined,
    cost: numberAt(5),
    from: has(flagBits.from) ? new Uint8Array(value.subarray(rootEnd, fromEnd)) : undefined,
    source: head.toString('latin1', fromEnd),
  };
}
