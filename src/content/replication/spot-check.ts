/**
 * Whether a node has what it says: one block that nobody can foretell is asked for. A lie costs its
 * teller the fetching of that block from somebody else, and does not go unnoticed for long.
 */
import { withDeadline } from '../../base/abort.ts';
import { type Bytes, concatBytes, equalBytes } from '../../base/bytes.ts';
import type { Random, Timers } from '../../base/clock.ts';
import { sha256 } from '../../base/hash.ts';
import type { ByteStream } from '../../peer/stream.ts';
import { readNode } from '../dag/folder.ts';
import {
  encodeRoot,
  encodeWant,
  FrameReader,
  frameTypes,
  syncProtocol,
} from '../exchange/frames.ts';
import type { Blocks, Connections } from '../ports.ts';
import type { ProviderContact } from '../fetching/providers.ts';
import type { Link } from '../dag/root.ts';
import { walkDepthMax } from '../dag/walk.ts';

/** A block at the end of some path down from the root; undefined when this node lacks one on it. */
export function someLeaf(blocks: Blocks, root: Link, random: Random): Link | undefined {
  let link = root;
  for (let depth = 0; depth < walkDepthMax && link.codec === 'dag-pb'; depth++) {
    if (!blocks.has(link.hash)) return undefined;
    const node = readNode(blocks, link);
    const below = node.kind === 'file' ? node.parts : node.entries;
    const next = below[Math.floor(random.fraction() * below.length)];
    if (!next) break;
    link = { codec: next.codec, hash: next.hash };
  }
  return link;
}

/** 'unknown' when it is busy or cannot be reached. Rejects with the signal's reason only. */
export async function holdsBlock(
  { connections, to }: { connections: Connections; to: ProviderContact },
  link: Link,
  { timers, patienceMs, signal }: { timers: Timers; patienceMs: number; signal: AbortSignal },
): Promise<'yes' | 'no' | 'unknown'> {
  const limits = { timers, ms: patienceMs, what: 'a block', signal };
  try {
    return await withDeadline(limits, async (inTime) => {
      const stream = await connections.open(to, syncProtocol, { signal: inTime });
      const giveUp = (): void => stream.abort(new Error('given up'));
      inTime.addEventListener('abort', giveUp, { once: true });
      try {
        return await verdictOf(stream, link);
      } finally {
        inTime.removeEventListener('abort', giveUp);
        giveUp();
      }
    });
  } catch {
    signal.throwIfAborted();
    return 'unknown';
  }
}

async function verdictOf(stream: ByteStream, link: Link): Promise<'yes' | 'no' | 'unknown'> {
  // The block stands for itself: what it belongs to is no business of who is tested.
  const want = encodeWant({ link, level: 0, path: [], scope: 'block' });
  await stream.write(concatBytes(encodeRoot(link.hash), want));
  const frame = await new FrameReader(stream.read).next();
  if (frame?.type === frameTypes.missing) return 'no';
  if (frame?.type !== frameTypes.block) return 'unknown';
  return isBlock(frame.body, link) ? 'yes' : 'no';
}

function isBlock(bytes: Bytes, { hash }: Link): boolean {
  return equalBytes(sha256(bytes), hash);
}
