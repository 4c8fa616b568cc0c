/**
 * What the API asks of the node about alternative links and small values, in the shapes that users
 * see as JSON.
 */
import type { CallOptions } from './call-options.ts';

export interface LinkInput {
  url: string;
  target: string;
  sha256?: string | undefined;
  /** Unix seconds. */
  captured?: number | undefined;
  type?: string | undefined;
  note?: string | undefined;
}

export interface PutLinkResult {
  url: string;
  canonical: string;
  target: string;
  publisher: string;
  stored: number;
  seconds: number;
}

export interface FoundLinkLine {
  url: string;
  target: string;
  publisher: string;
  issued: number;
  sha256?: string;
  size?: number;
  type?: string;
  captured?: number;
  note?: string;
  seconds: number;
  /** The spelling of the URL under which it was found, when that is another than asked for. */
  variant?: string;
  /** From an earlier search: nobody could be asked. */
  stale?: true;
}

export interface LinkEndLine {
  done: true;
  found: number;
  asked: number;
  seconds: number;
}

export interface OwnLink {
  url: string;
  target: string;
  issued: number;
  expires: number;
}

export interface LinkServices {
  putLink(input: LinkInput, options?: CallOptions): Promise<PutLinkResult>;
  /** Each alternative as it is found, then the end line. */
  getLinks(url: string, options?: CallOptions): AsyncIterable<FoundLinkLine | LinkEndLine>;
  removeLink(input: { url: string; target: string }, options?: CallOptions): Promise<PutLinkResult>;
  links(): Promise<OwnLink[]>;
  /** At most 64 KiB; the key is the value's SHA-256. */
  putValue(value: Uint8Array, options?: CallOptions): Promise<{ key: string; stored: number }>;
  getValue(key: string, options?: CallOptions): Promise<{ key: string; value: Uint8Array }>;
}
