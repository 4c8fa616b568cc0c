/** What `stats` and `dht` show of a node's place in the network. */
import type { ModeInfo } from '../api/ports.ts';

/** From here on the clock is worth a line: others may refuse this node's records. */
const clockOffsetShownSeconds = 60;

export function modeFields({
  mode,
  reason,
  address,
  clockOffsetSeconds = 0,
}: ModeInfo): (readonly [label: string, value: string | undefined])[] {
  const seconds = Math.round(Math.abs(clockOffsetSeconds));
  const direction = clockOffsetSeconds > 0 ? 'behind' : 'ahead of';
  const isOff = seconds >= clockOffsetShownSeconds;
  return [
    ['mode', reason === undefined ? mode : `${mode}: ${reason}`],
    ['seen at', address],
    ['clock', isOff ? `${seconds} s ${direction} the others` : undefined],
  ];
}
