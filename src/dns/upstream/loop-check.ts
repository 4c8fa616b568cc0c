/**
 * Finds resolvers that ask us what we ask them, as a stub on this machine does that was told to use
 * this node: each is asked for a name that nobody can guess, and whoever asks us for it is one.
 * Such a question tells nothing of anybody, and its ending is one that no real name has (RFC 6761).
 */
import { toHex } from '../../base/bytes.ts';
import type { World } from '../../base/clock.ts';
import { withDeadline } from '../../base/abort.ts';
import { parseIp, scopeOf } from '../../base/address.ts';
import { classIn, types } from '../codes.ts';
import type { Query } from '../query.ts';
import { askByUdp } from './ask.ts';
import { encodeQuestion } from './question.ts';
import type { Server } from './servers.ts';

const labelBytes = 12;
const ending = 'test';
const waitMs = 1500;
/** What a stub is told to do changes seldom. */
const againMs = 60_000;

export class LoopCheck {
  readonly #world: World;
  readonly #stopping: AbortSignal;
  /** Labels that were sent out. BOUNDED by the servers, see look(). */
  readonly #sent = new Map<string, { readonly server: Server; cameBack: boolean }>();
  #lookedAtMs: number | undefined;

  constructor(world: World, stopping: AbortSignal) {
    this.#world = world;
    this.#stopping = stopping;
  }

  /** Looks at those on this machine, now and then; nobody waits for it. */
  look(servers: readonly Server[]): void {
    const nowMs = this.#world.clock.monotonicMs();
    if (this.#lookedAtMs !== undefined && nowMs < this.#lookedAtMs + againMs) return;
    this.#lookedAtMs = nowMs;
    this.#sent.clear();
    for (const server of servers) {
      const ip = parseIp(server.host);
      if (ip && scopeOf(ip) === 'loopback') void this.#send(server);
    }
  }

  /** Whether this is one of our questions that came back; its server is not asked any more. */
  isOwn({ type, labels }: Pick<Query, 'type' | 'labels'>): boolean {
    if (type !== types.txt || labels.length !== 2 || labels[1] !== ending) return false;
    const sent = this.#sent.get(labels[0] ?? '');
    if (!sent) return false;
    sent.cameBack = true;
    sent.server.isLoop = true;
    return true;
  }

  async #send(server: Server): Promise<void> {
    const label = toHex(this.#world.random.bytes(labelBytes));
    const sent = { server, cameBack: false };
    this.#sent.set(label, sent);
    const id = idOf(this.#world);
    const key = questionKey([label, ending], types.txt);
    const question = { key, dnssecOk: false, checkingDisabled: false };
    const message = encodeQuestion(question, { id, withOpt: false });
    const { timers } = this.#world;
    const limit = { timers, ms: waitMs, what: 'a resolver', signal: this.#stopping };
    try {
      await withDeadline(limit, (signal) =>
        askByUdp({ server, message, read: () => true, signal }),
      );
    } catch {
      // What it answers, and whether, means nothing: only whether it asks.
    }
    server.isLoop = sent.cameBack;
  }
}

/** Unpredictable. */
export function idOf({ random }: Pick<World, 'random'>): number {
  const [high = 0, low = 0] = random.bytes(2);
  return high * 256 + low;
}

function questionKey(labels: readonly string[], type: number): string {
  const name = labels.map((label) => String.fromCharCode(label.length) + label).join('');
  return `${name}\0${String.fromCharCode(type >> 8, type & 255, classIn >> 8, classIn & 255)}`;
}
