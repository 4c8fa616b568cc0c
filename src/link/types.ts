/** What the link module gives to its callers. */
import type { Bytes } from '../base/bytes.ts';

/** An alternative for a URL, as its publisher signed it. */
export interface Link {
  /** As it was published: https, magnet, ipfs, .alt … At most 512 bytes. */
  readonly target: string;
  /** Of the content behind the target: 32 bytes. */
  readonly sha256?: Bytes | undefined;
  readonly size?: number | undefined;
  /** Media type. */
  readonly type?: string | undefined;
  /** Unix seconds. */
  readonly captured?: number | undefined;
  readonly note?: string | undefined;
}

export interface FoundLink extends Link {
  /** Key ID of the signer: SHA-256 of its public key. */
  readonly publisher: Bytes;
  /** Unix seconds. */
  readonly issued: number;
  /** Since the search began. */
  readonly seconds: number;
  /** The other spelling of the URL under which it was found; there was none under the one given. */
  readonly variant?: string | undefined;
  /** From an earlier search: nobody could be asked now. */
  readonly stale?: true | undefined;
}

export interface LinkSearchEnd {
  readonly found: number;
  /** Nodes that answered. */
  readonly asked: number;
  readonly seconds: number;
}

export interface PutLink {
  readonly url: string;
  readonly canonical: string;
  readonly target: string;
  /** Key ID of this node's author. */
  readonly publisher: Bytes;
  /** Nodes that accepted, this one included when it is one of them. */
  readonly stored: number;
  readonly seconds: number;
}
