/**
 * What writers of holdings ask for, in the words that the writer, the queue and those who carry it
 * out share. It does nothing.
 */
import type { Bytes } from '../base/bytes.ts';
import type { Holding, HoldingKind } from '../content/ports.ts';
import type { Origin } from './book.ts';
import type { OpenHolding } from './open-holdings.ts';
import type { Asked } from './plan.ts';

export type Completion = Parameters<Holding['complete']>[0];

/** What one writer has set aside; its first use says for whose sake. */
export interface Reservation {
  /** What its writer opened the holding as. */
  readonly by: HoldingKind;
  bytes: number;
  origin: Origin | undefined;
}

export interface Write extends Asked {
  readonly open: OpenHolding;
  readonly reservation: Reservation;
  /** With the hashes that are not here. */
  readonly resolve: (missing: readonly Bytes[]) => void;
  readonly reject: (error: unknown) => void;
}
