/**
 * What the API asks of the node about names, in the shapes that users see as JSON: taking, changing
 * and passing them on, and what they point to.
 */
import type { NameState } from '../name/types.ts';
import type { CallOptions } from './call-options.ts';

export interface NameResult {
  name: string;
  root: string;
  cid: string;
  version: number;
  expires: number;
  /** Public key of the registrar whose zone it is in. */
  zone?: string;
  /** This node does not trust that registrar, or trusts others alone: it does not open here. */
  elsewhere?: true;
  stored: number;
}

export interface ResolveResult {
  name: string;
  state: NameState;
  root?: string;
  cid?: string;
  owner?: string;
  claimants?: string[];
  version?: number;
  issued?: number;
  expires?: number;
  /** Public key of the registrar whose zone it is in. */
  zone?: string;
  /** Public key of the author who may take it over. */
  offeredTo?: string;
  /** Unix seconds: its owner, `previousOwner`, gave it up, and others can take it from then on. */
  freeAt?: number;
  /** Of a name that was not found: this node resolves only names of its registrars. */
  registrarsOnly?: true;
  /** … and this node's author has no certificate with which to take it. */
  needsCertificate?: true;
  /** Lately it had another owner, `previousOwner`, who did not pass it on. */
  warning?: 'owner-changed';
  previousOwner?: string;
  /** An earlier answer: those who would know are silent. */
  stale?: true;
  /** From the node's memory, where it has been for `ageSeconds`; `asked` is of then. */
  cached?: true;
  ageSeconds?: number;
  asked: number;
}

export interface ResolveOptions extends CallOptions {
  /** Asks the network again, whatever the node remembers. */
  readonly fresh?: boolean | undefined;
}

export interface TransferResult {
  name: string;
  /** Public key of the author who can take it now. */
  to: string;
  /** The ID of that author, for both sides to compare. */
  toAuthor: string;
  /** Unix seconds: after that the offer is void. */
  until: number;
  version: number;
  stored: number;
}

export interface ReleaseResult {
  name: string;
  ok: true;
  /** Unix seconds from when on anybody may take it; absent for a name below another. */
  freeAt?: number;
  stored: number;
}

export interface OwnName {
  name: string;
  root: string;
  cid: string;
  /** Public key. */
  owner: string;
  /** For whom it was registered, as `register` was told. */
  registrant?: string;
  registered_at: number;
  updated_at: number;
  version: number;
  /** Public key of the registrar whose zone it is in. */
  zone?: string;
  /** Unix seconds: when its registrar's certificate ends, and the name with it. */
  certified_until?: number;
  /** That is within 30 days: its registrar is to be asked for a new one. */
  certificate_ending?: true;
}

export interface NameServices {
  register(
    input: {
      name: string;
      root: string;
      owner?: string | undefined;
      /** A registrar's leave to write the name, as one line of text. */
      certificate?: string | undefined;
    },
    options?: CallOptions,
  ): Promise<NameResult>;
  update(input: { name: string; root: string }, options?: CallOptions): Promise<NameResult>;
  /** `author`: who gets the name, as key name or 64 hex digits of the public key. */
  transfer(input: { name: string; author: string }, options?: CallOptions): Promise<TransferResult>;
  release(input: { name: string }, options?: CallOptions): Promise<ReleaseResult>;
  resolve(name: string, options?: ResolveOptions): Promise<ResolveResult>;
  names(): Promise<OwnName[]>;
}
