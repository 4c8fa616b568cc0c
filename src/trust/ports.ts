/**
 * What the parts of trust show of themselves, and what they ask of others: `revocation` implements
 * `RevokedSource`. Who asks whether something is denied uses `Denials` (base/denial.ts) and nothing
 * of this.
 */
import type { Bytes } from '../base/bytes.ts';

/** Ends what a call to `onChange` began; harmless when it has ended. */
export type StopListening = () => void;

/** A line of a list that means nothing; the lines around it count. */
export interface BadLine {
  /** The first is 1. */
  readonly line: number;
  /** For people: continues "line 3: …". */
  readonly why: string;
}

/** The keys of a list whose file may change at any time. */
export interface TrustedKeys {
  /** Ed25519 public keys, 32 bytes each, in the order of the file, none twice; at most 64. */
  list(): readonly Bytes[];
  has(key: Bytes): boolean;
  /** Called after keys came, went or moved. */
  onChange(listener: () => void): StopListening;
}

/** What trusted revokers have revoked. Answers from memory and never throws. */
export interface RevokedSource {
  /** Nobody has revoked anything. */
  readonly isEmpty: boolean;
  /** The public key of who revoked the block with this SHA-256, 32 bytes each. */
  ofBlock(hash: Bytes): Bytes | undefined;
  /** The public key of who revoked the name under this key of the DHT. */
  ofName(key: Bytes): Bytes | undefined;
  /** Called after something was revoked or allowed again. */
  onChange(listener: () => void): StopListening;
}

/** What the operator's own list says. Answers from memory and never throws. */
export interface BlockedSource {
  /** There is no rule. */
  readonly isEmpty: boolean;
  isBlockBlocked(hash: Bytes): boolean;
  /** `path` is decoded; '' is the root itself. */
  isPathBlocked(root: Bytes, path: string): boolean;
  /** A label or key name, without ".alt". */
  isNameBlocked(label: string): boolean;
  /** In the canonical form. */
  isUrlBlocked(canonical: string): boolean;
  onChange(listener: () => void): StopListening;
}
