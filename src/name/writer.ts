/**
 * Signs an author's name records and publishes them: does the work, stays above what the author
 * wrote before, and turns refusals into errors. It does not look names up.
 */
import type { CID } from 'multiformats/cid';
import { type Bytes, equalBytes, toHex } from '../base/bytes.ts';
import { unixSeconds, type World } from '../base/clock.ts';
import { AltNetError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { SigningKey } from '../identity/key.ts';
import { compareRecords, type SignedRecord } from '../record/envelope.ts';
import { storeStatuses, storeStatusName } from '../record/kinds.ts';
import { makeNameRecord, makeNameTombstone } from '../record/name.ts';
import type { NetworkProfile } from '../record/network.ts';
import { makePkNameRecord } from '../record/pkname.ts';
import { findPow, type PowProgress } from '../record/pow.ts';
import { storedKind } from '../record/registry.ts';
import type { Stamp } from '../record/stamp.ts';
import { knownWork, newestOf, nextSeq } from './own.ts';
import type { NamePlace } from './place.ts';
import type { NamePublication, NamePublisher } from './ports.ts';

export interface WriterDeps {
  readonly publisher: Pick<NamePublisher, 'publish' | 'withdraw'>;
  readonly authorKey: SigningKey;
  readonly profile: NetworkProfile;
  /** `networkId(profile)`. */
  readonly network: Bytes;
  readonly world: World;
  readonly log: Logger;
}

export interface WriteOptions {
  readonly signal?: AbortSignal | undefined;
  /** While work is being done for a name that this author has not held yet. */
  readonly onProgress?: ((progress: PowProgress) => void) | undefined;
}

export interface NameDraft {
  readonly place: NamePlace;
  readonly root: CID;
  /** All that this author is known to have written there, withdrawals included. */
  readonly mine: readonly SignedRecord[];
}

export interface Written {
  readonly record: SignedRecord;
  /** Nodes that hold it: at least 1. */
  readonly stored: number;
}

interface Attempt {
  readonly record: SignedRecord;
  readonly publication: NamePublication;
}

export class NameWriter {
  readonly #deps: WriterDeps;

  constructor(deps: WriterDeps) {
    this.#deps = deps;
  }

  /** Rejects with NAME_TAKEN, RECORD_REFUSED, NO_PEERS (published later), ABORTED. */
  async write(draft: NameDraft, options: WriteOptions): Promise<Written> {
    const powNonce = await this.#work(draft, options);
    const first = await this.#publish(draft, { mine: draft.mine, powNonce }, options);
    const newer = this.#newerOwn(first);
    if (newer.length === 0) return this.#outcome(draft, first, options);
    // The journal was lost, or the key is used on two machines: once more, above those records.
    this.#deps.log.info('a newer record of this name was in the network');
    const again = await this.#publish(draft, { mine: newer, powNonce }, options);
    return this.#outcome(draft, again, options);
  }

  async #work({ place, mine }: NameDraft, { signal, onProgress }: WriteOptions): Promise<Bytes> {
    const { profile, authorKey, world } = this.#deps;
    const { key, kind } = place;
    const bits = storedKind(kind)?.powBits(profile) ?? 0;
    const task = { kind, key, author: authorKey.publicKey, bits, signal, onProgress };
    return knownWork(mine, bits) ?? findPow(task, world);
  }

  async #publish(
    draft: NameDraft,
    { mine, powNonce }: { mine: readonly SignedRecord[]; powNonce: Bytes },
    { signal }: WriteOptions,
  ): Promise<Attempt> {
    const issued = unixSeconds(this.#deps.world.clock);
    const record = this.#sign(draft, { seq: nextSeq(newestOf(mine)), issued, powNonce });
    return { record, publication: await this.#deps.publisher.publish(record, { signal }) };
  }

  #sign({ place, root }: NameDraft, stamp: Stamp): SignedRecord {
    const { authorKey: key, network } = this.#deps;
    const signer = { key, network };
    if (place.type === 'key') return makePkNameRecord({ root }, stamp, signer);
    return makeNameRecord({ label: place.label, root }, stamp, signer);
  }

  /**
   * Only own records count: else anybody could drive the seq to its end. And only newer ones: a
   * storer that shows an old one must not make this author go back behind it.
   */
  #newerOwn({ record, publication }: Attempt): SignedRecord[] {
    const { publicKey } = this.#deps.authorKey;
    return publication.refusals
      .filter(({ status }) => status === storeStatuses.SEQ_OLD)
      .flatMap(({ conflicting }) => conflicting)
      .filter((other) => equalBytes(other.author, publicKey) && compareRecords(other, record) > 0);
  }

  async #outcome(
    draft: NameDraft,
    { record, publication }: Attempt,
    options: WriteOptions,
  ): Promise<Written> {
    const { stored, asked, refusals } = publication;
    const { name } = draft.place;
    const taken = refusals.find(({ status }) => status === storeStatuses.NAME_TAKEN);
    // Who held the name before goes on as long as anybody keeps it; a new claim has to win.
    const isLost = taken && (draft.mine.length === 0 ? taken.count >= stored : stored === 0);
    if (isLost) {
      // When most refused it and nobody took it, the publisher has forgotten it already.
      const isKept = stored > 0 || taken.count * 2 <= asked;
      if (isKept && draft.mine.length === 0) await this.#giveUp(draft, record, options);
      const [holder] = taken.conflicting;
      throw new AltNetError('NAME_TAKEN', { name, owner: holder ? toHex(holder.author) : '' });
    }
    if (stored > 0) return { record, stored };
    const [main] = refusals.toSorted((a, b) => b.count - a.count);
    if (!main) throw new AltNetError('NO_PEERS', { what: name });
    throw new AltNetError('RECORD_REFUSED', { what: name, status: storeStatusName(main.status) });
  }

  /** Another was first, and most storers know: a claim that stays would only confuse visitors. */
  async #giveUp({ place }: NameDraft, record: SignedRecord, options: WriteOptions): Promise<void> {
    if (place.type !== 'open') return;
    const { authorKey: key, network, world, publisher } = this.#deps;
    const { powNonce } = record;
    const stamp = { seq: nextSeq(record), issued: unixSeconds(world.clock), powNonce };
    const tombstone = makeNameTombstone(place.label, stamp, { key, network });
    await publisher.withdraw(tombstone, { signal: options.signal });
  }
}
