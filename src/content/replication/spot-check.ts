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
  decodeEnd,
  encodeRoot,
  encodeWant,
  endStatuses,
  FrameReader,
  frameTypes,
  syncProtocol,
} from '../exchange/frames.ts';
import { Pace } from '../exchange/pace.ts';
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

export type Verdict = 'yes' | 'no' | 'busy' | 'unknown';

export interface Patience {
  readonly timers: Timers;
  /** So long it may be silent … */
  readonly patienceMs: number;
  /** … and so long it may take if it is slow. The same unless given. */
  readonly longestMs?: number | undefined;
  readonly signal: AbortSignal;
}

/** 'unknown' when it is silent or cannot be reached. Rejects with the signal's reason only. */
export async function holdsBlock(
  { connections, to }: { connections: Connections; to: ProviderContact },
  link: Link,
  { timers, patienceMs, longestMs = patienceMs, signal }: Patience,
): Promise<Verdict> {
  const silence = new AbortController();
  const pace = new Pace(timers, { periodMs: patienceMs, bytesMin: 1 }, () => silence.abort());
  const either = AbortSignal.any([signal, silence.signal]);
  const limits = { timers, ms: longestMs, what: 'a block', signal: either };
  pace.start();
  try {
    return await withDeadline(limits, async (inTime) => {
      const stream = await connections.open(to, syncProtocol, { signal: inTime });
      const giveUp = (): void => stream.abort(new Error('given up'));
      inTime.addEventListener('abort', giveUp, { once: true });
      try {
        return await verdictOf(stream, { link, pace });
      } finally {
        inTime.removeEventListener('abort', giveUp);
        giveUp();
      }
    });
  } catch {
    signal.throwIfAborted();
    return 'unknown';
  } finally {
    pace.stop();
  }
}

async function verdictOf(
  stream: ByteStream,
  { link, pace }: { readonly link: Link; readonly pace: Pace },
): Promise<Verdict> {
  // The block stands for itself: what it belongs to is no business of who is tested.
  const want = encodeWant({ link, level: 0, path: [], scope: 'block' });
  await stream.write(concatBytes(encodeRoot(link.hash), want));
  const frame = await new FrameReader(counted(stream.read, pace)).next();
  if (frame?.type === frameTypes.missing) return 'no';
  if (frame?.type === frameTypes.end) {
    const status = decodeEnd(frame.body);
    if (status === endStatuses.refused) return 'no'; // it gives the content to nobody
    return status === endStatuses.busy ? 'busy' : 'unknown';
  }
  if (frame?.type !== frameTypes.block) return 'unknown';
  return isBlock(frame.body, link) ? 'yes' : 'no';
}

async function* counted(
  chunks: AsyncIterable<Bytes>,
  pace: Pace,
): AsyncGenerator<Bytes, void, undefined> {
  for await (const chunk of chunks) {
    pace.count(chunk.length);
    yield chunk;
  }
}

function isBlock(bytes: Bytes, { hash }: Link): boolean {
  return equalBytes(sha256(bytes), hash);
}
