/** The form of the table of entry points: each has checks, or a reason why it needs none. */
import type { DeniedNet } from './net.ts';

export interface Check {
  readonly what: string;
  /** Rejects when something denied is had, or something allowed is not. */
  readonly run: (net: DeniedNet) => Promise<void>;
}

/** A sentence: why nothing that is denied can be had, stored or told there. */
export type Row = readonly Check[] | string;
export type Rows<Entry extends string = string> = Readonly<Record<Entry, Row>>;

export function check(what: string, run: Check['run']): Check {
  return { what, run };
}
