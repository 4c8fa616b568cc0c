/**
 * This node's own list, when its author revokes: what is revoked is in force here and on the disk
 * at once, and signed as soon as a minute has passed since the record before; every six hours it is
 * signed anew, so that who is shown an old one can tell.
 */
import { concatBytes, equalBytes } from '../base/bytes.ts';
import type { World } from '../base/clock.ts';
import { AltNetError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { reasonOf } from '../base/reason.ts';
import { Nudge, repeat } from '../dht/loops.ts';
import { encodeRevocation, type Revocation, revocationsMax } from '../record/revocations.ts';
import type { Signer } from '../record/stamp.ts';
import type { Intake, TakenRecord } from './intake.ts';
import type { RevokerLists } from './lists.ts';
import { OwnSigning } from './own-signing.ts';
import type { ListClock, ListFiles, ListPublisher } from './ports.ts';
import type { RevokerList } from './revoker-list.ts';

export interface OwnListDeps {
  readonly lists: RevokerLists;
  readonly intake: Intake;
  readonly publisher: ListPublisher;
  readonly files: Pick<ListFiles, 'publish'>;
  /** The author key. */
  readonly signer: Signer;
  readonly clock: ListClock;
  readonly world: World;
  readonly log: Logger;
  /** A new record is out. */
  readonly onSigned: (signed: TakenRecord) => void;
}

export interface Revoked {
  /** Entries that were new: 0 when all of it was so before. */
  readonly changed: number;
  /** Entries of the list now. */
  readonly entries: number;
  /** Nodes that hold its record; 0 when it was not signed yet. */
  readonly stored: number;
  /** Seconds until it is signed; 0: it was. */
  readonly waitSeconds: number;
}

const resignMs = 6 * 3_600_000;
export const spacingMs = 60_000;
/** After a failure, and while the clock is in doubt. */
const retryMs = 30_000;
const idleMs = 3_600_000;

export class OwnList {
  readonly #deps: OwnListDeps;
  readonly #signing: OwnSigning;
  readonly #stopping = new AbortController();
  readonly #nudge = new Nudge();
  /** Monotonic, when a record was signed last in this run. */
  #signedMs: number | undefined;
  #retryAtMs = 0;
  #loop: Promise<void> | undefined;

  constructor(deps: OwnListDeps) {
    this.#deps = deps;
    this.#signing = new OwnSigning(deps);
  }

  start(): void {
    const { world, log } = this.#deps;
    this.#loop ??= repeat(
      {
        name: 'sign revocations',
        delayMs: () => this.#untilDue(),
        run: async (signal) => {
          if (this.#untilDue() <= 0) await this.#sign(signal);
        },
        nudge: this.#nudge,
      },
      { timers: world.timers, log, signal: this.#stopping.signal },
    );
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new AltNetError('ABORTED', {}));
    await this.#loop;
  }

  /**
   * Entries that change something are appended and in force here when this resolves, whatever
   * becomes of the network. Rejects with DISK_FULL, or with BAD_ARGUMENT when the list is full.
   */
  async revoke(wanted: readonly Revocation[], signal?: AbortSignal): Promise<Revoked> {
    const { lists, intake, signer } = this.#deps;
    const list = await lists.openOwn();
    const changed = await intake.inTurn(signer.key.publicKey, async () => {
      const news = wanted.filter(
        (entry) => list.isRevoked(entry.type, entry.target) === entry.undo,
      );
      if (list.count + news.length > revocationsMax) {
        const why = `it has ${revocationsMax} entries, which is the most`;
        throw new AltNetError('BAD_ARGUMENT', { what: 'the list of revocations', why });
      }
      if (news.length > 0) await list.append(concatBytes(...news.map(encodeRevocation)));
      return news.length;
    });
    lists.tell();
    const stored = this.#untilDue() <= 0 ? await this.#trySigning(signal) : 0;
    this.#nudge.now();
    const waitMs = this.#isUnsigned(list) ? Math.max(1, this.#untilDue()) : 0;
    return { changed, entries: list.count, stored, waitSeconds: Math.ceil(waitMs / 1000) };
  }

  /** Another machine signs with the same key: its list gets what only this one has revoked. */
  async reclaim(list: RevokerList): Promise<void> {
    const { intake, signer, log } = this.#deps;
    await intake.inTurn(signer.key.publicKey, async () => {
      const lost = await list.left(revocationsMax - list.count);
      if (lost.length === 0) return;
      log.warn('another node revokes with this author key; the lists are joined');
      await list.append(lost);
    });
    this.#nudge.now();
  }

  #list(): RevokerList | undefined {
    return this.#deps.lists.get(this.#deps.signer.key.publicKey);
  }

  /** Or signed, and lost before the publisher had it. */
  #isUnsigned({ count, body, record }: RevokerList): boolean {
    if (count === 0) return false;
    if (!record || count !== body?.count) return true;
    return !this.#signing.journaled().some(({ hash }) => equalBytes(hash, record.hash));
  }

  #untilDue(): number {
    const list = this.#list();
    const { clock, world } = this.#deps;
    if (!list || list.count === 0 || list.isLacking) return idleMs;
    const nowMs = world.clock.monotonicMs();
    const issuedMs = (list.record?.issued ?? 0) * 1000;
    const aheadMs = clock.unixMs() - issuedMs;
    // Signed in an earlier run, perhaps by another clock: never waited for longer than it takes.
    const sinceMs = this.#signedMs === undefined ? Math.max(0, aheadMs) : nowMs - this.#signedMs;
    const dueMs = this.#isUnsigned(list) || aheadMs < 0 ? spacingMs : resignMs;
    return Math.max(dueMs - sinceMs, this.#retryAtMs - nowMs);
  }

  /** That nobody can be reached now is no failure of revoking: it is published later. */
  async #trySigning(signal: AbortSignal | undefined): Promise<number> {
    try {
      return await this.#sign(signal);
    } catch (error) {
      signal?.throwIfAborted();
      this.#deps.log.warn('revocations are not published yet', { why: reasonOf(error) });
      return 0;
    }
  }

  async #sign(signal: AbortSignal | undefined): Promise<number> {
    const { clock, world, publisher, intake, signer, onSigned } = this.#deps;
    this.#retryAtMs = world.clock.monotonicMs() + retryMs;
    const list = this.#list();
    if (!list || clock.isDoubtful()) return 0;
    // Storers may have shown one that another machine signed with the same key.
    for (const known of this.#signing.journaled()) await intake.offerRecord(known, 'asked');
    if (list.isLacking) return 0;
    const record = await intake.inTurn(signer.key.publicKey, () =>
      this.#signing.sign(list, signal),
    );
    this.#signedMs = world.clock.monotonicMs();
    this.#retryAtMs = 0;
    // It is in the publisher's journal before anybody is asked, and comes out later if need be.
    const publishing = publisher.publish(record, { signal });
    onSigned({ record, list, way: 'own', from: [] });
    return (await publishing).stored;
  }
}
