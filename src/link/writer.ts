/**
 * Signs an author's link records and publishes them: finds the work once per URL, stays above what
 * the author wrote before, and turns refusals into errors. Knows no URLs and no targets.
 */
import { type Bytes, equalBytes } from '../base/bytes.ts';
import { unixSeconds, type World } from '../base/clock.ts';
import { AltNetError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { SigningKey } from '../identity/key.ts';
import { compareRecords, type SignedRecord } from '../record/envelope.ts';
import { recordKinds, storeStatuses, storeStatusName } from '../record/kinds.ts';
import { networkId, type NetworkProfile } from '../record/network.ts';
import { findPow, type PowProgress } from '../record/pow.ts';
import { slotOf, storedKind } from '../record/registry.ts';
import type { Signer, Stamp } from '../record/stamp.ts';
import { knownWork, nextSeq } from './own.ts';
import type { LinkPublication, LinkPublisher, PublishLinkOptions } from './ports.ts';

export interface WriterDeps {
  readonly publisher: Pick<LinkPublisher, 'publish' | 'withdraw' | 'approach'>;
  readonly authorKey: SigningKey;
  readonly profile: NetworkProfile;
  readonly world: World;
  readonly log: Logger;
}

export interface WriteOptions {
  readonly signal?: AbortSignal | undefined;
  /** While work is being done for a URL under which this author has not published yet. */
  readonly onProgress?: ((progress: PowProgress) => void) | undefined;
}

export interface LinkDraft {
  readonly key: Bytes;
  /** What the author has in this slot already. */
  readonly previous: SignedRecord | undefined;
  /** What the author has under this key: some of it may carry the work that is needed. */
  readonly mine: readonly SignedRecord[];
  /** Makes and signs the record. */
  readonly sign: (stamp: Stamp, signer: Signer) => SignedRecord;
}

interface Written {
  readonly record: SignedRecord;
  readonly publication: LinkPublication;
}

export const linksPerAuthorMax: number = storedKind(recordKinds.link)?.perAuthorMax ?? 0;

export class LinkWriter {
  readonly #deps: WriterDeps;
  readonly #signer: Signer;

  constructor(deps: WriterDeps) {
    this.#deps = deps;
    this.#signer = { key: deps.authorKey, network: networkId(deps.profile) };
  }

  /**
   * The number of nodes that hold the record, at least 1. Rejects with RECORD_REFUSED, NO_PEERS
   * or ABORTED.
   */
  async write(draft: LinkDraft, options: WriteOptions): Promise<number> {
    const outcome = await this.#writeFirst(draft, options);
    const { powNonce } = outcome.record;
    const newer = this.#newerOwn(outcome.publication, outcome.record);
    if (!newer) return storedBy(outcome.publication);
    // The journal was lost, or the key is used on two machines: once more, above that record.
    this.#deps.log.info('a newer link of this author was in the network');
    const again = await this.#publish(
      draft,
      { previous: newer, powNonce },
      { signal: options.signal },
    );
    return storedBy(again.publication);
  }

  /** Those who are to hold the record are found while the work is done. */
  async #writeFirst(draft: LinkDraft, options: WriteOptions): Promise<Written> {
    const { signal } = options;
    const approach = this.#deps.publisher.approach(draft.key, { signal });
    try {
      const powNonce = await this.#work(draft, options);
      const { previous } = draft;
      return await this.#publish(draft, { previous, powNonce }, { signal, approach });
    } finally {
      approach.abandon();
    }
  }

  async #work({ key, mine }: LinkDraft, { signal, onProgress }: WriteOptions): Promise<Bytes> {
    const { profile, authorKey, world } = this.#deps;
    const bits = storedKind(recordKinds.link)?.powBits(profile) ?? 0;
    const author = authorKey.publicKey;
    const task = { kind: recordKinds.link, key, author, bits, signal, onProgress };
    return knownWork(mine, bits) ?? findPow(task, world);
  }

  async #publish(
    { sign }: LinkDraft,
    { previous, powNonce }: { previous: SignedRecord | undefined; powNonce: Bytes },
    { signal, approach }: PublishLinkOptions,
  ): Promise<Written> {
    const { publisher, world } = this.#deps;
    const issued = unixSeconds(world.clock);
    const record = sign({ seq: nextSeq(previous, issued), issued, powNonce }, this.#signer);
    const publication = record.tombstone
      ? await publisher.withdraw(record, { signal, approach })
      : await publisher.publish(record, { signal, approach });
    return { record, publication };
  }

  /**
   * Only an own record counts: else anybody could drive the seq to its end. And only a newer one: a
   * storer that shows an old one must not make this author go back behind it.
   */
  #newerOwn({ refusals }: LinkPublication, written: SignedRecord): SignedRecord | undefined {
    return refusals
      .filter(({ status }) => status === storeStatuses.SEQ_OLD)
      .flatMap(({ conflicting }) => conflicting)
      .filter(({ kind, author }) => kind === written.kind && equalBytes(author, written.author))
      .filter((record) => equalBytes(slotOf(record), slotOf(written)))
      .filter((record) => compareRecords(record, written) > 0)
      .toSorted((a, b) => compareRecords(b, a))
      .at(0);
  }
}

export function limitReached(url: string): AltNetError<'LINK_LIMIT'> {
  return new AltNetError('LINK_LIMIT', { url, limit: linksPerAuthorMax });
}

/** How many nodes hold it; throws when none does, with the reason that most of them gave. */
function storedBy({ stored, refusals }: LinkPublication): number {
  if (stored > 0) return stored;
  const [main] = refusals.toSorted((a, b) => b.count - a.count);
  if (!main) throw new AltNetError('NO_PEERS', { what: 'this link' });
  const status = storeStatusName(main.status);
  throw new AltNetError('RECORD_REFUSED', { what: 'this link', status });
}
