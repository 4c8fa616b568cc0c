/**
 * Takes in what anybody hands us as a revoker's newest record: cheap checks first, as most of it is
 * known already or of nobody whom this node trusts. What passes is in force when it was taken, and
 * told to who passes it on. It sends nothing itself.
 */
import { type Bytes, equalBytes, toHex } from '../base/bytes.ts';
import type { World } from '../base/clock.ts';
import { KeyedTurns } from '../base/keyed-turns.ts';
import type { Logger } from '../base/logger.ts';
import { reasonOf } from '../base/reason.ts';
import { checkRecord, type RecordReader, recordReader } from '../record/acceptance.ts';
import { compareRecords, type SignedRecord } from '../record/envelope.ts';
import { recordKinds, storeStatuses } from '../record/kinds.ts';
import type { NetworkProfile } from '../record/network.ts';
import { parseRevocations } from '../record/revocations.ts';
import type { RevokerLists } from './lists.ts';
import { Pacing } from './pacing.ts';
import type { ListClock } from './ports.ts';
import type { RevokerList } from './revoker-list.ts';

export interface IntakeDeps {
  readonly lists: RevokerLists;
  readonly world: World;
  readonly clock: Pick<ListClock, 'unixMs'>;
  readonly profile: NetworkProfile;
  readonly network: Bytes;
  readonly reader?: RecordReader | undefined;
  readonly log: Logger;
}

/** How a record came here. own: this node signed it. */
export type Way = 'announced' | 'asked' | 'own';

export interface TakenRecord {
  readonly record: SignedRecord;
  readonly list: RevokerList;
  readonly way: Way;
  /** The node IDs of those who told us. */
  readonly from: readonly Bytes[];
}

/** What became of records, since the start. */
export interface IntakeCounts {
  taken: number;
  /** Known already, or older: replayed, reordered, or told by several. */
  known: number;
  /** Of a revoker whom this node does not trust. */
  foreign: number;
  /** Not a valid record. */
  bad: number;
  /** Came too soon after another of the same revoker, and waited. */
  deferred: number;
  /** Lists for which there is no room. */
  tooMany: number;
}

/** Offsets in the envelope: enough to drop what nobody here wants without reading it. */
const kindAt = 1;
const authorAt = 36;
const authorEnd = 68;

export class Intake {
  readonly counts: IntakeCounts = {
    taken: 0,
    known: 0,
    foreign: 0,
    bad: 0,
    deferred: 0,
    tooMany: 0,
  };
  readonly #deps: IntakeDeps;
  readonly #onTaken: (taken: TakenRecord) => void;
  /** Copies of a record that come while it is being taken wait, and turn out to be known. */
  readonly #turns = new KeyedTurns({ pendingMax: 256, what: 'revocations' });
  readonly #pacing: Pacing;
  /** What is being taken, so that copies of it are known. BOUNDED by the revokers. */
  readonly #taking = new Map<string, SignedRecord>();
  #stopped = false;

  constructor(deps: IntakeDeps, onTaken: (taken: TakenRecord) => void) {
    this.#deps = deps;
    this.#onTaken = onTaken;
    this.#pacing = new Pacing(deps.world);
  }

  /** Resolves when it was taken, put off or dropped. Rejects when the disk cannot be written. */
  async offer(bytes: Bytes, way: Way, from: readonly Bytes[] = []): Promise<void> {
    const { lists, reader = recordReader } = this.#deps;
    const author = bytes.subarray(authorAt, authorEnd);
    if (bytes[kindAt] !== recordKinds.revocations || !lists.get(author)) {
      this.counts.foreign++;
      return;
    }
    const parsed = reader.parse(bytes);
    if (!parsed.ok) this.counts.bad++;
    else await this.offerRecord(parsed.record, way, from);
  }

  /** The same of one that was read already. */
  async offerRecord(record: SignedRecord, way: Way, from: readonly Bytes[] = []): Promise<void> {
    const { lists, clock, profile, network } = this.#deps;
    const list = lists.get(record.author);
    if (!list || this.#stopped) return;
    if (this.#isKnown(record, list)) {
      this.counts.known++;
      return;
    }
    const nowUnixSeconds = Math.floor(clock.unixMs() / 1000);
    const status = checkRecord(record, { nowUnixSeconds, profile, network });
    if (status !== storeStatuses.OK) {
      this.counts.bad++;
      return;
    }
    const isTooSoon = this.#pacing.untilDueMs(record.author) > 0;
    if (way === 'announced' && isTooSoon) this.#putOff({ record, way, from });
    else await this.#take({ record, way, from });
  }

  /**
   * All of a list that was lacking. False when that is not what its record says; one that a newer
   * record has overtaken is left aside.
   */
  async complete(list: RevokerList, record: SignedRecord, entries: Bytes): Promise<boolean> {
    return this.#turns.run(toHex(list.revoker), async () => {
      if (!list.record || !equalBytes(list.record.hash, record.hash)) return true;
      if (!this.#isFollowed(list)) return true;
      if (!(await list.complete(entries))) return false;
      this.#deps.lists.tell();
      return true;
    });
  }

  /** Alone: nobody else changes this revoker's list meanwhile. */
  inTurn<T>(revoker: Bytes, work: () => Promise<T>): Promise<T> {
    return this.#turns.run(toHex(revoker), work);
  }

  /** What waits is dropped: it is asked for at the next start. */
  stop(): void {
    this.#stopped = true;
    this.#pacing.stop();
  }

  /** Who is trusted anew has another list, which alone writes to the disk from then on. */
  #isFollowed(list: RevokerList): boolean {
    return this.#deps.lists.get(list.revoker) === list;
  }

  #isKnown(record: SignedRecord, list: RevokerList): boolean {
    const { author } = record;
    const known = [list.record, this.#pacing.waiting(author), this.#taking.get(toHex(author))];
    return known.some((one) => one !== undefined && compareRecords(record, one) <= 0);
  }

  #putOff(what: Omit<TakenRecord, 'list'>): void {
    this.counts.deferred++;
    this.#pacing.putOff(what.record, () => {
      this.#take(what).catch((error: unknown) => {
        this.#deps.log.error('a list of revocations cannot be kept', { why: reasonOf(error) });
      });
    });
  }

  async #take({ record, way, from }: Omit<TakenRecord, 'list'>): Promise<void> {
    const { lists } = this.#deps;
    const list = lists.get(record.author);
    const body = parseRevocations(record);
    if (!list || !body || this.#stopped) return;
    const hex = toHex(record.author);
    this.#pacing.note(record.author);
    this.#taking.set(hex, record);
    const isTaken = await this.#turns
      .run(hex, async () => {
        if (list.record && compareRecords(record, list.record) <= 0) return false;
        if (!this.#isFollowed(list)) return false;
        if (!lists.hasRoomFor(body.count - list.count)) {
          this.counts.tooMany++;
          return false;
        }
        await this.#takeInto(list, record, body);
        return true;
      })
      .finally(() => {
        if (this.#taking.get(hex) === record) this.#taking.delete(hex);
      });
    if (!isTaken) return;
    this.counts.taken++;
    this.#onTaken({ record, list, way, from });
    lists.tell();
  }

  async #takeInto(
    list: RevokerList,
    record: SignedRecord,
    body: NonNullable<ReturnType<typeof parseRevocations>>,
  ): Promise<void> {
    const { log } = this.#deps;
    const before = list.equivocated;
    await list.take(record, body);
    const revoker = toHex(list.revoker);
    if (list.equivocated && !before) {
      log.warn('a revoker contradicts its own list: both are in force', { revoker });
    }
    log.info('took revocations', { revoker, entries: body.count, inForce: list.inForce });
  }
}
