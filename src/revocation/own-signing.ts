/**
 * The record of this node's own list: what it says, and the file that it names. When it is signed,
 * and who is told, is not known here.
 */
import type { CID } from 'multiformats/cid';
import { AltNetError } from '../base/errors.ts';
import type { SignedRecord } from '../record/envelope.ts';
import {
  makeRevocationsRecord,
  nextUpdateSeconds,
  parseRevocations,
  recentMax,
  type RevocationsBody,
  revocationsKey,
} from '../record/revocations.ts';
import type { Signer } from '../record/stamp.ts';
import { tailOf } from './entries.ts';
import type { ListClock, ListFiles, ListPublisher } from './ports.ts';
import type { RevokerList } from './revoker-list.ts';

export interface OwnSigningDeps {
  readonly publisher: Pick<ListPublisher, 'under'>;
  readonly files: Pick<ListFiles, 'publish'>;
  /** The author key. */
  readonly signer: Signer;
  readonly clock: Pick<ListClock, 'unixMs'>;
}

export class OwnSigning {
  readonly #deps: OwnSigningDeps;

  constructor(deps: OwnSigningDeps) {
    this.#deps = deps;
  }

  /** What the publisher keeps alive: one of ours, or of another machine with the same key. */
  journaled(): readonly SignedRecord[] {
    const { publisher, signer } = this.#deps;
    const key = revocationsKey(signer.key.publicKey);
    return publisher.under(key).map(({ record }) => record);
  }

  /** Numbered after all that are known. It is on the disk when this resolves. */
  async sign(list: RevokerList, signal: AbortSignal | undefined): Promise<SignedRecord> {
    const { clock, signer } = this.#deps;
    const issued = Math.floor(clock.unixMs() / 1000);
    const before = [list.record, ...this.journaled()];
    const seq = before.reduce((max, record) => maxOf(max, record?.seq ?? 0n), 0n) + 1n;
    const body: RevocationsBody = {
      count: list.count,
      nextUpdate: issued + nextUpdateSeconds,
      recent: tailOf(list.entries()),
      list: list.count > recentMax ? await this.#publishList(list, signal) : undefined,
    };
    const record = makeRevocationsRecord(body, { seq, issued }, signer);
    const parsed = parseRevocations(record);
    if (!parsed) throw new AltNetError('INTERNAL', { what: 'made a list that is not valid' });
    await list.sign(record, parsed);
    return record;
  }

  async #publishList(list: RevokerList, signal: AbortSignal | undefined): Promise<CID> {
    const replaces = list.body?.list;
    if (list.body?.count === list.count && replaces) return replaces;
    return this.#deps.files.publish(list.entries(), { replaces, signal });
  }
}

function maxOf(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
