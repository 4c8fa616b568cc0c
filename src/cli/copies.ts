/** How many copies of a site were made, and why there are not more, in words. Pure. */
import type { PublishResult } from '../api/ports-sites.ts';
import { countOf } from './format.ts';

type Copies = Pick<PublishResult, 'replicas' | 'replicasWanted' | 'refused'>;
type Why = PublishResult['refused'][number]['why'];

/** What one node did, and what several did; undefined where it is nobody's doing. */
const words: Readonly<Record<Why, readonly [one: string, many: string] | undefined>> = {
  'too-large': ['keeps less than that for one peer', 'keep less than that for one peer'],
  budget: ['had no room', 'had no room'],
  blocked: ['refuses this content', 'refuse this content'],
  far: ['named others that are closer to it', 'named others that are closer to it'],
  busy: ['was too busy', 'were too busy'],
  unreachable: ['could not be reached', 'could not be reached'],
  failed: ['broke off', 'broke off'],
  slow: ['was too slow', 'were too slow'],
  'too-few': undefined,
};

const tooLarge =
  'none, as this is more than nodes keep for one peer, 64 MiB as a rule; raise --per-peer-budget here and on those that are to keep it';

/** "6 of 6 made", or "2 of 6 (3 nodes had no room, 1 could not be reached)". */
export function copiesLine({ replicas, replicasWanted, refused }: Copies): string {
  if (replicasWanted === 0) return 'none wanted: this node runs with --replicas 0';
  if (replicas >= replicasWanted) return `${replicas} of ${replicasWanted} made`;
  const isTooLarge = refused.every(({ why }) => why === 'too-large' || why === 'too-few');
  const [first] = refused;
  if (replicas === 0 && isTooLarge && first?.why === 'too-large') return tooLarge;
  const reasons = reasonsOf(refused);
  const count = `${replicas} of ${replicasWanted}`;
  return reasons.length === 0 ? `${count} made so far` : `${count} (${reasons.join(', ')})`;
}

function reasonsOf(refused: Copies['refused']): string[] {
  const counted = refused.flatMap(({ why, nodes }) => {
    const [one, many] = words[why] ?? [];
    return one === undefined || nodes === 0 ? [] : [{ nodes, did: nodes === 1 ? one : many }];
  });
  const reasons = counted.map(
    ({ nodes, did }, index) => `${index === 0 ? countOf(nodes, 'node') : nodes} ${did}`,
  );
  const areTooFew = refused.some(({ why }) => why === 'too-few');
  return areTooFew ? [...reasons, 'no other node in reach keeps copies'] : reasons;
}
