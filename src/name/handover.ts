/**
 * How a name leaves its author: offered to another one, or given up (docs/spec/names.md). What this
 * author holds, turns among writes, and writing itself are others' business.
 */
import type { Abortable } from '../base/abort.ts';
import { type Bytes, equalBytes, toHex } from '../base/bytes.ts';
import { unixSeconds, type World } from '../base/clock.ts';
import { AltNetError } from '../base/errors.ts';
import { freeAtSeconds } from '../dht/rules/ownership.ts';
import { isPublicKey } from '../identity/curve.ts';
import type { SigningKey } from '../identity/key.ts';
import { epochOf, versionOf } from '../record/envelope.ts';
import { signTransfer } from '../record/transfer.ts';
import type { NamedCertificate } from './certificate-text.ts';
import type { Holding } from './holding.ts';
import { newestOf } from './own.ts';
import type { NameAddress, NamePlace } from './place.ts';
import type { OfferedName, ReleasedName } from './types.ts';
import type { NameDraft, WriteOptions, Written } from './writer.ts';

export interface HandoverDeps {
  readonly authorKey: SigningKey;
  readonly network: Bytes;
  readonly world: Pick<World, 'clock'>;
  /** What this author holds; rejects with NAME_NOT_FOUND or NAME_NOT_YOURS. */
  readonly held: (address: NameAddress, options: Abortable) => Promise<Holding>;
  /** The certificate that was accepted for a place. */
  readonly leaveUnder: (place: NamePlace) => NamedCertificate | undefined;
  readonly write: (
    address: NameAddress,
    draft: NameDraft,
    options: WriteOptions,
  ) => Promise<Written>;
}

/**
 * How long an offer can be taken: longer than anybody remembers the old owner (90 + 30 days), so
 * that whoever knew that owner still sees how the name changed hands.
 */
const offerSeconds = 365 * 86_400;

export class Handover {
  readonly #deps: HandoverDeps;

  constructor(deps: HandoverDeps) {
    this.#deps = deps;
  }

  /** See `Names.transfer`. */
  async offer(address: NameAddress, newOwner: Bytes, options: WriteOptions): Promise<OfferedName> {
    const { authorKey: key, network, world, held, write } = this.#deps;
    requireNewOwner(newOwner, key);
    const holding = await held(address, options);
    const { place, mine, takeover } = holding;
    if (address.sub !== undefined) {
      const why = `it belongs to whom ${address.apex.name} belongs to; pass that one on`;
      throw new AltNetError('BAD_ARGUMENT', { what: address.name, why });
    }
    if (place.type === 'key' || place.zone) {
      const why = 'a key name or a name of a registrar cannot be passed on to another author';
      throw new AltNetError('BAD_ARGUMENT', { what: address.name, why });
    }
    if (takeover) throw notTaken(address);
    const until = unixSeconds(world.clock) + offerSeconds;
    const newEpoch = epochOf(newestOf(mine)?.seq ?? 0n) + 1;
    const terms = { label: place.label, newOwner, newEpoch, notAfter: until };
    const offer = signTransfer(terms, { key, network });
    const { record, stored } = await write(address, { ...holding, change: { offer } }, options);
    return { name: address.name, to: newOwner, until, version: versionOf(record.seq), stored };
  }

  /** See `Names.release`. */
  async release(address: NameAddress, options: WriteOptions): Promise<ReleasedName> {
    const { held, write, leaveUnder } = this.#deps;
    const holding = await held(address, options);
    if (holding.takeover) throw notTaken(address);
    if (address.sub !== undefined) {
      const change = { below: { label: address.sub, root: undefined } };
      const { stored } = await write(address, { ...holding, change }, options);
      return { name: address.name, stored };
    }
    const certificate = leaveUnder(holding.place);
    const draft = { ...holding, change: 'release', certificate } as const;
    const { record, stored } = await write(address, draft, options);
    const isOpen = holding.place.type === 'key' || holding.place.zone === undefined;
    return { name: address.name, ...(isOpen && { freeAt: freeAtSeconds(record) }), stored };
  }
}

function requireNewOwner(newOwner: Bytes, key: SigningKey): void {
  const what = toHex(newOwner);
  if ([key.publicKey, key.id].some((mine) => equalBytes(newOwner, mine))) {
    const why = 'that is you, who have the name already; write the key name of who is to have it';
    throw new AltNetError('BAD_ARGUMENT', { what, why });
  }
  if (isPublicKey(newOwner)) return;
  const why = 'write the key name of the author who gets the name, as altnet key show prints it';
  throw new AltNetError('BAD_ARGUMENT', { what, why });
}

/** An offer is not yet a name: it has to be taken first. */
function notTaken({ name }: NameAddress): AltNetError<'NAME_NOT_FOUND'> {
  return new AltNetError('NAME_NOT_FOUND', { name });
}
