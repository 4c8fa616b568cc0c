/** What the naming module gives to its callers. */
import type { CID } from 'multiformats/cid';
import type { Bytes } from '../base/bytes.ts';

/**
 * ok: safe to use. new: held by somebody, but not yet confirmed by a majority. contested: several
 * authors claim it and none has a majority. expired, not-found: nothing to open. revoked, blocked:
 * denied here, by somebody whom this node trusts or by its operator; nothing else is told then.
 */
export type NameState =
  | 'ok'
  | 'new'
  | 'contested'
  | 'expired'
  | 'revoked'
  | 'blocked'
  | 'not-found';

export interface ResolvedName {
  /** With its ending: "alice.alt" or "blog.alice.alt". */
  readonly name: string;
  readonly state: NameState;
  /** Absent for contested and not-found. */
  readonly root?: CID;
  /** Ed25519 public key; absent for contested and not-found. */
  readonly owner?: Bytes;
  /** All claimants' public keys; only when contested. */
  readonly claimants?: readonly Bytes[];
  readonly version?: number;
  /** Unix seconds. */
  readonly issued?: number;
  /** Unix seconds. */
  readonly expires?: number;
  /** Public key of the registrar whose zone it is in; absent in the open zone. */
  readonly zone?: Bytes;
  /** Who may take the name over, as its owner offered. */
  readonly offeredTo?: Bytes;
  /**
   * Unix seconds, of a name that its owner, `previousOwner`, gave up: until then nobody else can
   * take it. Absent for one that was never held or is free again.
   */
  readonly freeAt?: number;
  /** Of a name that was not found: this node looks only where its registrars say who holds it. */
  readonly registrarsOnly?: true;
  /** Lately the name had another owner, who did not pass it on: `previousOwner`. */
  readonly warning?: 'owner-changed';
  readonly previousOwner?: Bytes;
  /** An earlier answer: the nodes that would know did not answer this time. */
  readonly stale?: true;
  /** From memory: so many seconds ago it was true. */
  readonly ageSeconds?: number;
  /** How many nodes answered, then if it is from memory. */
  readonly asked: number;
}

export interface RegisteredName {
  readonly name: string;
  readonly root: CID;
  readonly version: number;
  readonly expires: number;
  /** Public key of the registrar whose zone it is in; absent in the open zone. */
  readonly zone?: Bytes;
  /** Nodes that hold the record now, this one included when it is one of them. */
  readonly stored: number;
}

/** A name that was offered to another author, who has to take it. */
export interface OfferedName {
  readonly name: string;
  /** Ed25519 public key of the author who may take it. */
  readonly to: Bytes;
  /** Unix seconds: after that the offer is void. */
  readonly until: number;
  readonly version: number;
  readonly stored: number;
}

export interface ReleasedName {
  readonly name: string;
  /** Unix seconds from when on anybody may take it; absent for a name below another. */
  readonly freeAt?: number;
  readonly stored: number;
}

/** A name that this node's author publishes from here. */
export interface OwnName {
  readonly name: string;
  readonly root: CID;
  /** Ed25519 public key. */
  readonly owner: Bytes;
  readonly version: number;
  /** Unix seconds: when this node first published it. */
  readonly registered: number;
  /** Unix seconds: when the present record was signed. */
  readonly updated: number;
  /** Unix seconds. */
  readonly expires: number;
  /** Public key of the registrar whose zone it is in; absent in the open zone. */
  readonly zone?: Bytes;
  /** Unix seconds: when its registrar's certificate ends; absent without one. */
  readonly certifiedUntil?: number;
}

export interface ResolveOptions {
  /** The network is asked, whatever was resolved a moment ago. */
  readonly fresh?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** How the rest of the program opens a name. */
export interface NameResolver {
  /**
   * `name` with or without ".alt": a name, one below a name, or a key name. Never rejects for a
   * name that does not resolve: that is `state`. Rejects with BAD_NAME, NO_ANSWER (too few of
   * those who would know answered to say anything), TIMEOUT, ABORTED; for a name that stands in a
   * zone file also like content that cannot be had.
   */
  resolve(name: string, options?: ResolveOptions): Promise<ResolvedName>;
}
