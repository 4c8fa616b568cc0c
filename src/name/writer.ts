/**
 * Signs an author's name records and publishes them: does the work, stays above what the author
 * wrote before, and turns refusals into errors. It does not look names up.
 */
import { type Bytes, equalBytes, toHex } from '../base/bytes.ts';
import { unixSeconds, type World } from '../base/clock.ts';
import { AltNetError, isAltNetError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { SigningKey } from '../identity/key.ts';
import { compareRecords, seqOf, type SignedRecord } from '../record/envelope.ts';
import { storeStatuses, storeStatusName } from '../record/kinds.ts';
import { makeNameRecord, makeNameTombstone, type NameTitle } from '../record/name.ts';
import type { NetworkProfile } from '../record/network.ts';
import { makePkNameRecord, makePkNameTombstone } from '../record/pkname.ts';
import { findPow, type PowProgress } from '../record/pow.ts';
import { storedKind } from '../record/registry.ts';
import type { Stamp } from '../record/stamp.ts';
import { compareClaims } from '../record/transfer.ts';
import type { Certificate } from '../record/zone.ts';
import { certificateBad } from './certificate-text.ts';
import { type Holding, withdrawn } from './holding.ts';
import { knownWork, newestOf, nextSeq } from './own.ts';
import type { NamePublication, NamePublisher } from './ports.ts';
import { type NameChange, nextRoot, nextStatement, nextTitle } from './statement.ts';

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

export interface NameDraft extends Holding {
  /** 'release' gives the name up. */
  readonly change: Omit<NameChange, 'certificate' | 'transfers'> | 'release';
  /** A registrar's leave that may be newer than the one in the record before. */
  readonly certificate?: Certificate | undefined;
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

  /**
   * Rejects with NAME_TAKEN, RECORD_REFUSED, NO_PEERS (published later), ABORTED, and with
   * BAD_ARGUMENT for more than fits a record.
   */
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
    const isFree = place.type === 'label' && place.zone !== undefined;
    const bits = isFree ? 0 : (storedKind(kind)?.powBits(profile) ?? 0);
    const task = { kind, key, author: authorKey.publicKey, bits, signal, onProgress };
    return knownWork(mine, bits) ?? findPow(task, world);
  }

  async #publish(
    draft: NameDraft,
    { mine, powNonce }: { mine: readonly SignedRecord[]; powNonce: Bytes },
    { signal }: WriteOptions,
  ): Promise<Attempt> {
    const issued = unixSeconds(this.#deps.world.clock);
    const previous = newestOf(mine);
    const seq = seqAbove(previous, draft.takeover?.epoch);
    const stamp = { seq, issued, powNonce };
    const { publisher } = this.#deps;
    if (draft.change === 'release') {
      const record = this.#signTombstone(draft, previous, stamp);
      return { record, publication: await publisher.withdraw(record, { signal }) };
    }
    const record = this.#sign(draft, draft.change, { previous, stamp });
    return { record, publication: await publisher.publish(record, { signal }) };
  }

  #sign(
    { place, takeover, certificate }: NameDraft,
    change: NameChange,
    { previous, stamp }: { previous: SignedRecord | undefined; stamp: Stamp },
  ): SignedRecord {
    const { authorKey: key, network } = this.#deps;
    const signer = { key, network };
    if (place.type === 'key') {
      return makePkNameRecord({ root: nextRoot(place, previous, change) }, stamp, signer);
    }
    const transfers = takeover?.transfers;
    const body = nextStatement(place, previous, { ...change, certificate, transfers });
    requireCovered(place.name, body, stamp);
    return fitting(place.name, () => makeNameRecord(body, stamp, signer, { zone: place.zone }));
  }

  #signTombstone(
    { place, certificate }: Pick<NameDraft, 'place' | 'certificate'>,
    previous: SignedRecord | undefined,
    stamp: Stamp,
  ): SignedRecord {
    const { authorKey: key, network } = this.#deps;
    const signer = { key, network };
    if (place.type === 'key') return makePkNameTombstone(stamp, signer);
    const title = nextTitle(place, previous, { certificate });
    requireCovered(place.name, title, stamp);
    return makeNameTombstone(title, stamp, signer, { zone: place.zone });
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
    const { network } = this.#deps;
    const taken = refusals.find(({ status }) => status === storeStatuses.NAME_TAKEN);
    // This author gave the name away, or its registrar took it: that is signed, and no vote can
    // undo it.
    const heir = taken?.conflicting.find((other) => compareClaims(other, record, network) > 0);
    const isOfZone = draft.place.type === 'label' && draft.place.zone !== undefined;
    if (isOfZone && heir?.tombstone) throw withdrawn(name);
    if (heir) throw new AltNetError('NAME_TAKEN', { name, owner: toHex(heir.author) });
    // Who held the name before goes on as long as half of them keep it; a new claim has to win.
    const isNew = draft.mine.length === 0 && !draft.takeover;
    // When most refused it, the publisher has forgotten it already.
    const isForgotten = taken !== undefined && taken.count * 2 > asked;
    const isLost = taken && (isNew ? taken.count >= stored : isForgotten || stored === 0);
    if (isLost) {
      if (isNew && (stored > 0 || !isForgotten)) await this.#giveUp(draft, record, options);
      const [holder] = taken.conflicting;
      throw new AltNetError('NAME_TAKEN', { name, owner: holder ? toHex(holder.author) : '' });
    }
    if (stored > 0) return { record, stored };
    const [main] = refusals.toSorted((a, b) => b.count - a.count);
    if (!main) throw new AltNetError('NO_PEERS', { what: name });
    throw new AltNetError('RECORD_REFUSED', { what: name, status: storeStatusName(main.status) });
  }

  /** Another was first, and most storers know: a claim that stays would only confuse visitors. */
  async #giveUp(draft: NameDraft, record: SignedRecord, options: WriteOptions): Promise<void> {
    if (draft.place.type === 'key') return;
    const { world, publisher } = this.#deps;
    const { powNonce } = record;
    const stamp = { seq: nextSeq(record), issued: unixSeconds(world.clock), powNonce };
    await publisher.withdraw(this.#signTombstone(draft, record, stamp), { signal: options.signal });
  }
}

/** A record that its certificate does not cover would be refused by everybody. */
function requireCovered(name: string, { certificate }: NameTitle, { issued }: Stamp): void {
  if (!certificate) return;
  const ask = 'ask its registrar for a new one';
  if (issued >= certificate.notAfter) throw certificateBad(`that of ${name} has ended; ${ask}`);
  if (issued < certificate.notBefore) throw certificateBad(`that of ${name} has not begun`);
}

/** One version above the record before, in the epoch of a takeover if that is higher. */
function seqAbove(previous: SignedRecord | undefined, epoch: number | undefined): bigint {
  const next = nextSeq(previous);
  const taken = epoch === undefined ? 0n : seqOf(epoch, 1);
  return taken > next ? taken : next;
}

/** Names below, transfers and a certificate together may be more than a record holds. */
function fitting(name: string, make: () => SignedRecord): SignedRecord {
  try {
    return make();
  } catch (cause) {
    if (!isAltNetError(cause, 'VALUE_TOO_BIG')) throw cause;
    const why = 'its names below and its transfers do not fit one record; release a name below it';
    throw new AltNetError('BAD_ARGUMENT', { what: name, why }, { cause });
  }
}
