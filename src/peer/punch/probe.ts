/**
 * What a port of this machine looks like from outside: connects from it to nodes that tell, and
 * keeps those connections, without which a NAT would give the port away again. It knows no peers by
 * itself.
 */
import { publicKeyFromRaw } from '@libp2p/crypto/keys';
import { peerIdFromPublicKey } from '@libp2p/peer-id';
import { sleep } from '../../base/abort.ts';
import { type Endpoint, sameEndpoint } from '../../base/address.ts';
import type { Bytes } from '../../base/bytes.ts';
import type { World } from '../../base/clock.ts';
import { systemCode } from '../../base/errors.ts';
import { askOnLine } from '../reach/ask.ts';
import { reachProtocol } from '../reach/reach-frames.ts';
import type { OwnLine, PortDialer } from './port-dial.ts';

/** A node that others reach by TCP. */
export interface Observer {
  readonly publicKey: Bytes;
  readonly endpoint: Endpoint;
}

/** A port of this machine that is not listened on, and what it is outside while this is open. */
export interface OpenPort {
  readonly localPort: number;
  readonly outside: Endpoint;
  readonly isProven: boolean;
  close(): void;
}

export type ProbeResult =
  | { readonly kind: 'open'; readonly port: OpenPort }
  /** No two of those that were asked saw the same: whoever is next will see yet another port. */
  | { readonly kind: 'unpredictable' }
  | { readonly kind: 'failed' };

export interface ProbeGoal {
  readonly ports: PortDialer;
  /** The first two are asked, and the third where these do not agree: one of them may lie. */
  readonly observers: readonly Observer[];
  readonly world: World;
  readonly signal: AbortSignal;
}

/** Below the range from which systems choose, so that no connection of others is in the way. */
const [portMin, portCount] = [20_000, 12_000];
const portTriesMax = 3;
const observeMs = 4000;

/** Never rejects. */
export async function probe(goal: ProbeGoal): Promise<ProbeResult> {
  const { world, signal } = goal;
  for (let tries = 0; tries < portTriesMax && !signal.aborted; tries++) {
    // A new one each time: connections from the last one may linger for a minute.
    const localPort = portMin + Math.floor(world.random.fraction() * portCount);
    const third = goal.observers[2];
    const sights = await Promise.all(
      goal.observers.slice(0, 2).map((observer) => look(goal, observer, localPort)),
    );
    if (third && doDiffer(sights)) sights.push(await look(goal, third, localPort));
    if (sights.some((sight) => sight === 'port taken')) {
      for (const sight of sights) if (sight !== 'port taken') sight?.line.close();
      continue;
    }
    return judge(
      localPort,
      sights.flatMap((sight) => (sight === undefined || sight === 'port taken' ? [] : [sight])),
    );
  }
  return { kind: 'failed' };
}

interface Sight {
  readonly line: OwnLine;
  readonly outside: Endpoint;
}

function doDiffer(sights: readonly (Sight | 'port taken' | undefined)[]): boolean {
  const [first, ...others] = sights.flatMap((sight) =>
    sight === undefined || sight === 'port taken' ? [] : [sight.outside],
  );
  return first !== undefined && others.some((other) => !sameEndpoint(first, other));
}

function judge(localPort: number, sights: readonly Sight[]): ProbeResult {
  const close = (): void => {
    for (const { line } of sights) line.close();
  };
  const [first] = sights;
  if (!first) return { kind: 'failed' };
  const agreed = sights.find((one) =>
    sights.some((other) => other !== one && sameEndpoint(other.outside, one.outside)),
  );
  if (sights.length > 1 && !agreed) {
    close();
    return { kind: 'unpredictable' };
  }
  const { outside } = agreed ?? first;
  return { kind: 'open', port: { localPort, outside, isProven: agreed !== undefined, close } };
}

async function look(
  { ports, world, signal }: ProbeGoal,
  { publicKey, endpoint }: Observer,
  localPort: number,
): Promise<Sight | 'port taken' | undefined> {
  const own = new AbortController();
  const onAbort = (): void => own.abort();
  signal.addEventListener('abort', onAbort, { once: true });
  const over = new AbortController();
  void sleep(world.timers, observeMs, over.signal).then(onAbort, () => undefined);
  let line: OwnLine | undefined;
  try {
    const peer = peerIdFromPublicKey(publicKeyFromRaw(publicKey));
    line = await ports.line({ endpoint, peer, localPort, signal: own.signal });
    const raw = await line.openStream(reachProtocol);
    const answer = await askOnLine(raw, { remote: publicKey, signal: own.signal });
    if (answer.type === 'seenAt') return { line, outside: answer.endpoint };
  } catch (error) {
    if (systemCode(error)?.startsWith('EADDR') === true) return 'port taken';
  } finally {
    over.abort();
    signal.removeEventListener('abort', onAbort);
  }
  line?.close();
  return undefined;
}
