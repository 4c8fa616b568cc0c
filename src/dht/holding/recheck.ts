/**
 * Finds out whether the names that this node holds are really their holders'. A new holder waits
 * until others confirm it, or until nobody contradicts for an hour; a settled one gives way only to
 * a clear majority. It asks slowly, and few: strangers decide when it asks.
 */
import { sleep, withDeadline } from '../../base/abort.ts';
import { type Bytes, equalBytes } from '../../base/bytes.ts';
import type { CancelTimer, World } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import { reasonOf } from '../../base/reason.ts';
import type { Contact } from '../../identity/contact.ts';
import type { SignedRecord } from '../../record/envelope.ts';
import type { Caller } from '../table/caller.ts';
import type { StoredRecord } from '../ports.ts';
import { RecheckQueue, type RecheckQueueOptions } from './recheck-queue.ts';
import { isVoted } from '../rules/ownership.ts';
import { sourceOf } from '../rules/source.ts';
import type { RecordSieve } from '../reading/sieve.ts';
import type { Claim, Storage } from './storage.ts';
import { type Ballot, ballotOf, judgeBallots } from './votes.ts';

export interface RecheckOptions extends RecheckQueueOptions {
  /** A name that nobody contradicted for so long is its holder's. */
  readonly confirmAfterMs: number;
  /** A settled name is looked at again when it was held for so long. */
  readonly settleAfterMs: number;
  /** Between two requests, of whatever checks. */
  readonly recheckPauseMs: number;
  /** Who does not answer for so long has no vote. */
  readonly voteTimeoutMs: number;
}

const second = 1000;
const hour = 3600 * second;

export const recheckDefaults: RecheckOptions = {
  rechecksMax: 1024,
  recheckSourceIntervalMs: 60 * second,
  confirmAfterMs: hour,
  settleAfterMs: 24 * hour,
  recheckPauseMs: 200,
  voteTimeoutMs: 2 * second,
};

export interface RecheckDeps {
  readonly world: World;
  readonly log: Logger;
  readonly storage: Pick<Storage, 'list' | 'confirm' | 'adopt'>;
  readonly caller: Pick<Caller, 'call'>;
  /** Those we know who should hold the key too, few per network. */
  readonly voters: (key: Bytes) => readonly Contact[];
  /** For the records that others hold instead. */
  readonly sieveFor: (key: Bytes) => Pick<RecordSieve, 'pass'>;
  readonly signal: AbortSignal;
}

/** Of those who hold another's record, so many are asked for it. */
const witnessesMax = 3;
/** Checks of claims at a time, so that one whose voters are silent holds up no others. */
const checksMax = 4;
const idBytes = 16;

export class Recheck {
  readonly #deps: RecheckDeps;
  readonly #options: RecheckOptions;
  readonly #queue: RecheckQueue;
  #cancel: CancelTimer = () => undefined;
  readonly #underWay = new Set<Promise<void>>(); // BOUNDED by checksMax
  /** Monotonic: when the next request may be sent. */
  #nextAskMs = 0;

  constructor(deps: RecheckDeps, options: RecheckOptions = recheckDefaults) {
    this.#deps = deps;
    this.#options = options;
    this.#queue = new RecheckQueue(deps.world.clock, options);
  }

  /** A name was taken that others may hold for somebody else. */
  claimed(claim: Claim): void {
    this.#queue.addClaim(claim);
    this.#schedule();
  }

  /**
   * Time to look again at a name that is held; other records are passed over. At the pace of
   * claims: who stored a thousand names in an hour has them come due in an hour.
   */
  again({ record, source }: StoredRecord): void {
    if (isVoted(record)) this.claimed({ key: record.key, source });
  }

  /** The same at once, for who has to know. Rejects when `signal` aborts or the store cannot write. */
  async lookAgain(record: SignedRecord, signal: AbortSignal): Promise<void> {
    if (isVoted(record)) await this.#check(record.key, signal);
  }

  /** Resolves when nothing is under way; after an abort, soon. */
  async settled(): Promise<void> {
    this.#cancel();
    await Promise.all(this.#underWay);
  }

  /** Sets the one timer to when the next check is due; none while there is nothing to check. */
  #schedule(): void {
    const { world, signal } = this.#deps;
    const waitMs = this.#queue.untilDueMs();
    if (this.#underWay.size >= checksMax || signal.aborted || waitMs === undefined) return;
    this.#cancel();
    this.#cancel = world.timers.after(waitMs, () => {
      const key = this.#queue.takeDue();
      if (key) this.#begin(key);
      this.#schedule();
    });
  }

  #begin(key: Bytes): void {
    const { log, signal } = this.#deps;
    const check = this.#check(key, signal)
      .catch((error: unknown) => {
        if (!signal.aborted) log.warn('cannot check a name', { why: reasonOf(error) });
      })
      .finally(() => {
        this.#underWay.delete(check);
        this.#schedule();
      });
    this.#underWay.add(check);
  }

  async #check(key: Bytes, signal: AbortSignal): Promise<void> {
    if (!this.#holder(key)) return;
    const ballots = await this.#ask(key, signal);
    const held = this.#holder(key);
    if (!held) return;
    const settled = !held.provisional;
    const { author } = held.record;
    const { others, agreed } = judgeBallots(ballots, { author, settled });
    if (others.length > 0 && (await this.#giveWay(key, { to: others, signal }))) return;
    if (settled) return;
    if (agreed) await this.#deps.storage.confirm(held.record);
    else await this.#confirmInTime(held);
  }

  /** Nobody contradicts: enough after a while, though not to block a name by a withdrawal. */
  async #confirmInTime({ record, heldSinceMs }: StoredRecord): Promise<void> {
    if (record.tombstone) return;
    const { storage, world } = this.#deps;
    const { confirmAfterMs } = this.#options;
    const leftMs = heldSinceMs + confirmAfterMs - world.clock.unixMs();
    if (leftMs <= 0) await storage.confirm(record);
    else this.#queue.add(record.key, Math.min(leftMs, confirmAfterMs));
  }

  #holder(key: Bytes): StoredRecord | undefined {
    return this.#deps.storage.list(key).find(({ record }) => isVoted(record));
  }

  async #ask(key: Bytes, signal: AbortSignal): Promise<readonly Ballot[]> {
    const { caller, voters, world } = this.#deps;
    const request = { method: 'get', key, mode: 'digest', minSeq: 0n, cursor: 0, ids: [] } as const;
    const asked: Promise<Ballot | undefined>[] = []; // BOUNDED by the voters
    const deadline = { timers: world.timers, ms: this.#options.voteTimeoutMs, what: 'a vote' };
    for (const voter of voters(key)) {
      await this.#turn(signal);
      const answer = withDeadline({ ...deadline, signal }, (ended) =>
        caller.call(voter, request, ended),
      ).then(
        ({ reply, info }) => (info.server ? ballotOf(voter, reply) : undefined),
        () => undefined,
      );
      asked.push(answer);
    }
    const ballots = await Promise.all(asked);
    signal.throwIfAborted();
    return ballots.filter((ballot) => ballot !== undefined);
  }

  /** All checks share one pace; each waits for the next turn that is free. */
  async #turn(signal: AbortSignal): Promise<void> {
    const { clock, timers } = this.#deps.world;
    const nowMs = clock.monotonicMs();
    const atMs = Math.max(nowMs, this.#nextAskMs);
    this.#nextAskMs = atMs + this.#options.recheckPauseMs;
    if (atMs > nowMs) await sleep(timers, atMs - nowMs, signal);
  }

  /** Fetches what the others hold; whether that stands here now. */
  async #giveWay(
    key: Bytes,
    { to, signal }: { to: readonly Ballot[]; signal: AbortSignal },
  ): Promise<boolean> {
    for (const ballot of to.slice(0, witnessesMax)) {
      const record = await this.#fetch(key, { ballot, signal });
      if (!record || !isVoted(record)) continue;
      const source = sourceOf(ballot.from.endpoint.ip);
      if (!(await this.#deps.storage.adopt(record, { source }))) continue;
      this.#deps.log.info('a name went to the holder that most know', {});
      return true;
    }
    return false;
  }

  async #fetch(
    key: Bytes,
    { ballot: { from, digest }, signal }: { ballot: Ballot; signal: AbortSignal },
  ): Promise<SignedRecord | undefined> {
    if (!digest) return undefined;
    const { caller, sieveFor } = this.#deps;
    const ids = [digest.hash];
    const request = { method: 'get', key, mode: 'by-id', minSeq: 0n, cursor: 0, ids } as const;
    const answered = await caller.call(from, request, signal).catch(() => undefined);
    const sieve = sieveFor(key);
    return answered?.reply.records
      .slice(0, 1)
      .map((bytes) => sieve.pass(bytes))
      .find((record) => record && equalBytes(record.hash.subarray(0, idBytes), digest.hash));
  }
}
