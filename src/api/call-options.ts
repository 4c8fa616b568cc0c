/** What goes with a call besides its input. */
import type { Progress } from '../content/types.ts';

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}
