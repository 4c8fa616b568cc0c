/**
 * What the main thread asks of the disk worker and what that answers, as both ends see it. It does
 * nothing. Bytes lie in shared memory: whoever asks leaves them as they are until the answer.
 */
import type { Bytes } from '../base/bytes.ts';
import type { NewFile } from '../base/new-files.ts';

export type { NewFile };

export type DiskTask =
  | { readonly kind: 'hash'; readonly bytes: Bytes }
  | { readonly kind: 'write'; readonly files: readonly NewFile[] };

/** One question; the answer carries its number. */
export interface DiskQuestion {
  readonly number: number;
  readonly task: DiskTask;
}

export type DiskAnswer =
  | { readonly kind: 'hashed'; readonly number: number; readonly hex: string }
  | { readonly kind: 'written'; readonly number: number }
  | {
      readonly kind: 'failed';
      readonly number: number;
      /** Of the system: ENOSPC … */
      readonly code: string | undefined;
      readonly why: string;
    };
