/** How far this machine's clock is from the others': a record from the future is refused. */
import process from 'node:process';
import { formatSeconds } from '../format.ts';
import { type Check, type CheckContext, fail, type Finding, ok, skipped, warn } from './finding.ts';

/** From here on a node is no server, and its records are refused. */
const wrongSeconds = 300;
/** From here on somebody should look before it is that far. */
const oddSeconds = 60;

export const clock: Check = {
  name: 'clock',
  async run(context) {
    return [await inspectClock(context)];
  },
};

async function inspectClock({ node, bootstraps }: CheckContext): Promise<Finding> {
  const told = node.state === 'running' ? node.stats.clockOffsetSeconds : undefined;
  if (told !== undefined) return judgeOffset(told, 'the peers of the node');
  const answers = await bootstraps().catch(() => []);
  const offsets = answers.flatMap(({ answer }) => answer?.offsetSeconds ?? []);
  const middle = offsets.toSorted((a, b) => a - b)[Math.floor(offsets.length / 2)];
  if (middle === undefined) return skipped('nobody answered whose clock it could be compared with');
  return judgeOffset(middle, 'the bootstrap nodes');
}

/** `offset`: what this clock lacks, in seconds; negative when it is ahead. */
function judgeOffset(offset: number, others: string): Finding {
  const seconds = Math.abs(offset);
  const how = `${formatSeconds(seconds)} ${offset > 0 ? 'behind' : 'ahead of'} ${others}`;
  if (seconds < oddSeconds) return ok(`it agrees with ${others}`);
  const advice = `set the clock of this machine, with: ${setClockCommand(process.platform)}`;
  if (seconds < wrongSeconds) return warn(`it is ${how}`, advice);
  return fail(`it is ${how}: what you publish may be refused`, advice);
}

function setClockCommand(platform: NodeJS.Platform): string {
  if (platform === 'darwin') return 'sudo sntp -sS time.apple.com';
  return platform === 'win32' ? 'w32tm /resync' : 'sudo timedatectl set-ntp true';
}
