/**
 * Who gets the rest of a fetch: all who work on it should end at the same time. What one was asked
 * for and cannot bring by then keeps everybody waiting, or comes twice. It asks nobody.
 */

export interface Worker {
  /** What it was asked for and has not brought. */
  readonly dueBytes: number;
  /** Undefined while nothing is known of it. */
  readonly bytesPerMs: number | undefined;
}

/**
 * So much is asked ahead also when less is left. Shorter, and a long path would run dry: 80 ms with
 * queues of 100 ms at both ends bring what is asked 280 ms later.
 */
const aheadMs = 500;

/**
 * Whether `worker` is to be asked for `bytes` of the `queuedBytes` that nobody was asked for yet,
 * or leaves them to `others`. The shorter the rest takes, the less is asked ahead: half of it. Who
 * has nothing to do is asked for what it brings by the end. What nobody would bring earlier it may
 * have: somebody always may.
 */
export function isForWorker(
  worker: Worker,
  others: readonly Worker[],
  { bytes, queuedBytes }: { readonly bytes: number; readonly queuedBytes: number },
): boolean {
  const { bytesPerMs, dueBytes } = worker;
  if (bytesPerMs === undefined) return true;
  const ownMs = (dueBytes + bytes) / bytesPerMs;
  let allBytes = queuedBytes + dueBytes;
  let allPerMs = bytesPerMs;
  let isFirst = true;
  for (const other of others) {
    if (other.bytesPerMs === undefined) continue;
    allBytes += other.dueBytes;
    allPerMs += other.bytesPerMs;
    if ((other.dueBytes + bytes) / other.bytesPerMs < ownMs) isFirst = false;
  }
  if (isFirst && (dueBytes === 0 || ownMs <= aheadMs)) return true;
  const allMs = allBytes / allPerMs;
  if (dueBytes === 0) return ownMs <= allMs;
  return ownMs <= Math.max(allMs / 2, Math.min(allMs, aheadMs));
}
