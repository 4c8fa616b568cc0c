/** What `stats` and `dht` show of a node's place in the network. */
import type { ModeInfo } from '../api/ports-network.ts';

/** From here on the clock is worth a line: others may refuse this node's records. */
const clockOffsetShownSeconds = 60;

/** In words; what is not known is left out. */
const reachWords: Readonly<Record<string, string>> = {
  public: 'by everybody',
  mapped: 'by everybody, as your router lets them in',
  punchable: 'through a relay, and directly by most',
  relayed: 'through a relay',
};

/** A server that nobody asks would look like one of the network. */
const alone =
  'of nobody yet, as it knows no other node; join others with: altnet bootstrap host:port';

/** `table`: other nodes that this one knows. */
export function modeFields({
  mode,
  reason,
  table,
  address,
  clockOffsetSeconds = 0,
  reachability = 'unknown',
}: ModeInfo & { readonly table: number }): (readonly [label: string, value: string | undefined])[] {
  const seconds = Math.round(Math.abs(clockOffsetSeconds));
  const direction = clockOffsetSeconds > 0 ? 'behind' : 'ahead of';
  const why = reason ?? (table === 0 ? alone : undefined);
  const isOff = seconds >= clockOffsetShownSeconds;
  return [
    ['mode', why === undefined ? mode : `${mode}: ${why}`],
    ['seen at', address],
    ['reached', reachWords[reachability]],
    ['clock', isOff ? `${seconds} s ${direction} the others` : undefined],
  ];
}
