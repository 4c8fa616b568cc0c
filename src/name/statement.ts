/** What an author says of a name in the next record: the present statement with a change. Pure. */
import type { CID } from 'multiformats/cid';
import { AltNetError } from '../base/errors.ts';
import type { SignedRecord } from '../record/envelope.ts';
import { type NameBody, type NameTitle, parseName, subnamesMax } from '../record/name.ts';
import { parsePkName } from '../record/pkname.ts';
import { type TransferLink, type TransferOffer, transfersOf } from '../record/transfer.ts';
import { type Certificate, certificateOf } from '../record/zone.ts';
import type { NamePlace } from './place.ts';

/** What is left out stays as it is. */
export interface NameChange {
  readonly root?: CID | undefined;
  /** All names below this one, instead of those there are. */
  readonly subnames?: ReadonlyMap<string, CID> | undefined;
  /** One of them; without a root it goes. */
  readonly below?: { readonly label: string; readonly root: CID | undefined } | undefined;
  /** More names below this one: a file in the form of zone-file.ts. */
  readonly zoneFile?: CID | undefined;
  readonly certificate?: Certificate | undefined;
  readonly offer?: TransferOffer | undefined;
  /** How the name came to this author. */
  readonly transfers?: readonly TransferLink[] | undefined;
}

/** `previous`: this author's newest record there, if any. Throws BAD_ARGUMENT, NAME_NOT_FOUND. */
export function nextStatement(
  place: NamePlace & { readonly type: 'label' },
  previous: SignedRecord | undefined,
  change: NameChange,
): NameBody {
  const body = previous && parseName(previous);
  const root = change.root ?? body?.root;
  if (!root) throw new AltNetError('NAME_NOT_FOUND', { name: place.name });
  return {
    ...nextTitle(place, previous, change),
    root,
    subnames: subnamesOf(place.name, body, change),
    zoneFile: change.zoneFile ?? body?.zoneFile,
    // Whoever got a name back has offered it before, and that offer was taken.
    offer: change.offer ?? (change.transfers ? undefined : body?.offer),
    ttlSeconds: body?.ttlSeconds,
  };
}

/** By what right the author writes: also a withdrawal shows that. */
export function nextTitle(
  { label }: NamePlace & { readonly type: 'label' },
  previous: SignedRecord | undefined,
  change: Pick<NameChange, 'transfers' | 'certificate'>,
): NameTitle {
  const before = previous ? transfersOf(previous) : [];
  const transfers = change.transfers ?? (before.length > 0 ? before : undefined);
  const certificate = laterOf(change.certificate, previous && certificateOf(previous));
  return { label, transfers, certificate };
}

function laterOf(a: Certificate | undefined, b: Certificate | undefined): Certificate | undefined {
  return a && b ? (b.serial > a.serial ? b : a) : (a ?? b);
}

/** The root of a key's next record. */
export function nextRoot(
  { name }: NamePlace,
  previous: SignedRecord | undefined,
  { root }: NameChange,
): CID {
  const shown = root ?? (previous && parsePkName(previous)?.root);
  if (shown) return shown;
  throw new AltNetError('NAME_NOT_FOUND', { name });
}

function subnamesOf(
  name: string,
  body: NameBody | undefined,
  { subnames, below }: NameChange,
): NameBody['subnames'] {
  const next = new Map(subnames ?? body?.subnames); // BOUNDED by subnamesMax, below
  if (below?.root) next.set(below.label, below.root);
  else if (below && !next.delete(below.label)) {
    throw new AltNetError('NAME_NOT_FOUND', { name: `${below.label}.${name}` });
  }
  if (next.size <= subnamesMax) return next.size === 0 ? undefined : next;
  const why = `at most ${subnamesMax} names below it fit its record; release one of them first`;
  throw new AltNetError('BAD_ARGUMENT', { what: name, why });
}
