/** How many copies of a site were made, and why there are not more, in words. Pure. */
import type { PublishResult } from '../api/ports.ts';
import { countOf } from './format.ts';

type Copies = Pick<PublishResult, 'replicas' | 'replicasWanted' | 'refused'>;
type Why = PublishResult['refused'][number]['why'];

/** What one node did, and what several did; undefined where it is nobody's doing. */
const words: Readonly<Record<Why, readonly [one: string, many: string] | undefined>> = {
  'too-large': ['takes less from one peer', 'take less from one peer'],
  budget: ['had no room', 'had no room'],
  blocked: ['refuses this content', 'refuse this content'],
  far: ['named others that are closer to it', 'named others that are closer to it'],
  busy: ['was too busy', 'were too busy'],
  unreachable: ['could not be reached', 'could not be reached'],
  failed: ['broke off', 'broke off'],
  'too-few': undefined,
};

const tooLarge =
  'not copied: larger than what one peer may store with another, 64 MiB as a rule; raise --per-peer-budget here and on the nodes that are to keep it';

/** "6 of 6 copies made", or "2 of 6 copies: 3 nodes had no room, 1 could not be reached". */
export function copiesLine({ replicas, replicasWanted, refused }: Copies): string {
  if (replicasWanted === 0) return 'no copies wanted: this node runs with --replicas 0';
  if (replicas >= replicasWanted) return `${replicas} of ${replicasWanted} copies made`;
  const isTooLarge = refused.every(({ why }) => why === 'too-large' || why === 'too-few');
  const [first] = refused;
  if (replicas === 0 && isTooLarge && first?.why === 'too-large') return tooLarge;
  const reasons = reasonsOf(refused);
  const count = `${replicas} of ${replicasWanted} copies`;
  return reasons.length === 0 ? `${count} made so far` : `${count}: ${reasons.join(', ')}`;
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
  return areTooFew ? [...reasons, 'no more nodes in reach store for others'] : reasons;
}
