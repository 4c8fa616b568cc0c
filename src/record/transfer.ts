/**
 * Transfers of open names, and the one rule by which a claim to a name supersedes another
 * (docs/spec/names.md, "Transfers"). An owner signs a name over to the next; the next shows that
 * signature with every record. Who counts votes where this rule decides nothing: not known here.
 */
import { type Bytes, concatBytes, equalBytes, utf8 } from '../base/bytes.ts';
import { AltNetError } from '../base/errors.ts';
import { verifySignature } from '../identity/key.ts';
import type { BodyValue } from './body.ts';
import { type Field, isBytes, isUint } from './codec.ts';
import { compareRecords, epochOf, type SignedRecord } from './envelope.ts';
import { recordKinds } from './kinds.ts';
import type { Signer } from './stamp.ts';
import { isOpenZone, nameFields, nameKey, serialOf, zoneOf } from './zone.ts';

/** What an owner signs to give a name away. */
export interface TransferOffer {
  /** Ed25519 public key, 32 bytes. */
  readonly newOwner: Bytes;
  /** Of the new owner's records: above the epoch of the old owner's, at most 65,535. */
  readonly newEpoch: number;
  /** Unix seconds: no record issued later may show this. */
  readonly notAfter: number;
  /** 64 bytes. */
  readonly signature: Bytes;
}

/** An offer as the new owner shows it: whose it was, instead of whose it became. */
export interface TransferLink extends Omit<TransferOffer, 'newOwner'> {
  /** Ed25519 public key, 32 bytes. */
  readonly prevOwner: Bytes;
}

export const transferLinksMax = 3;
export const epochMax = 0xffff;
const unixSecondsMax = 0xffff_ffff;

/** `signer` holds the present owner's key. Throws INTERNAL for numbers that do not fit. */
export function signTransfer(
  { label, ...terms }: Omit<TransferOffer, 'signature'> & { readonly label: string },
  { key, network }: Signer,
): TransferOffer {
  const about = { key: nameKey(label), prevOwner: key.publicKey, network };
  const signature = key.sign(signedByOwner(terms, about));
  const offer = offerField.read(offerField.write({ ...terms, signature }));
  if (offer) return offer;
  throw new AltNetError('INTERNAL', { what: 'a transfer was asked for that cannot be written' });
}

const transferContext = utf8('altnet/xfer/1\0');

function signedByOwner(
  { newOwner, newEpoch, notAfter }: Omit<TransferOffer, 'signature'>,
  { key, prevOwner, network }: { key: Bytes; prevOwner: Bytes; network: Bytes },
): Bytes {
  const numbers = Buffer.alloc(6);
  numbers.writeUInt16BE(newEpoch, 0);
  numbers.writeUInt32BE(notAfter, 2);
  return concatBytes(transferContext, network, key, prevOwner, newOwner, numbers);
}

/* In bodies: [key 32, newEpoch, notAfter, signature 64]. Links say the old owner's key, an offer
the new one's; the other key is that of the next link or of the record's author. */

function readSigned(
  value: BodyValue,
): (Omit<TransferOffer, 'newOwner'> & { readonly party: Bytes }) | undefined {
  if (!Array.isArray(value) || value.length !== 4) return undefined;
  const [party, newEpoch, notAfter, signature] = value as readonly BodyValue[];
  if (!isBytes(party, 32, 32) || !isBytes(signature, 64, 64)) return undefined;
  if (!isUint(newEpoch, epochMax) || !isUint(notAfter, unixSecondsMax)) return undefined;
  return { party, newEpoch, notAfter, signature };
}

export const offerField: Field<TransferOffer> = {
  number: nameFields.offer,
  read(value) {
    const read = readSigned(value);
    if (!read) return undefined;
    const { party: newOwner, ...rest } = read;
    return { newOwner, ...rest };
  },
  write: ({ newOwner, newEpoch, notAfter, signature }) => [newOwner, newEpoch, notAfter, signature],
};

/** Oldest first. */
export const transfersField: Field<readonly TransferLink[]> = {
  number: nameFields.transfers,
  read(value) {
    if (!Array.isArray(value) || value.length < 1 || value.length > transferLinksMax)
      return undefined;
    const links = (value as readonly BodyValue[]).flatMap((item) => {
      const read = readSigned(item);
      if (!read) return [];
      const { party: prevOwner, ...rest } = read;
      return [{ prevOwner, ...rest }];
    });
    return links.length === value.length ? links : undefined;
  },
  write: (links) =>
    links.map(({ prevOwner, newEpoch, notAfter, signature }) => [
      prevOwner,
      newEpoch,
      notAfter,
      signature,
    ]),
};

/** How the author came by the name, oldest first; empty where the record does not say. */
export function transfersOf(record: SignedRecord): readonly TransferLink[] {
  const value = record.fields.get(nameFields.transfers);
  if (record.kind !== recordKinds.name || value === undefined) return [];
  return transfersField.read(value) ?? [];
}

/** To whom the author gives the name away, if to anybody. */
export function offerOf(record: SignedRecord): TransferOffer | undefined {
  const value = record.fields.get(nameFields.offer);
  if (record.kind !== recordKinds.name || value === undefined) return undefined;
  return offerField.read(value);
}

/**
 * The links that `newOwner` shows when accepting the offer in the old owner's record: its own and
 * the offer, the last three of them. Undefined when nothing is offered to `newOwner`.
 */
export function acceptOffer(
  record: SignedRecord,
  newOwner: Bytes,
): readonly TransferLink[] | undefined {
  const offer = offerOf(record);
  if (!offer || !equalBytes(offer.newOwner, newOwner)) return undefined;
  const { newEpoch, notAfter, signature } = offer;
  const link = { prevOwner: record.author, newEpoch, notAfter, signature };
  return [...transfersOf(record), link].slice(-transferLinksMax);
}

/**
 * Whether the links lead to the author with ascending epochs up to the record's own, the offer
 * leads away from him to a higher one, the record is of the open zone, and all is signed. Deadlines
 * are not looked at: a record may go on to show a link that decides nothing any more.
 */
export function hasSoundTransfers(record: SignedRecord, network: Bytes): boolean {
  const links = transfersOf(record);
  const offer = offerOf(record);
  if (links.length === 0 && !offer) return true;
  if (!isOpen(record) || (links.length > 0 && !isChain(links, record))) return false;
  const offered = offer && { ...offer, prevOwner: record.author };
  if (offered && offered.newEpoch <= epochOf(record.seq)) return false;
  if (offered && equalBytes(offered.newOwner, offered.prevOwner)) return false;
  return [...handovers(record), ...(offered ? [offered] : [])].every((handover) =>
    isSigned(handover, record.key, network),
  );
}

/** One owner after another: what a link and its successor say together. */
interface Handover extends TransferLink {
  readonly newOwner: Bytes;
}

function handovers(record: SignedRecord): readonly Handover[] {
  const links = transfersOf(record);
  return links.map((link, i) => ({ ...link, newOwner: links[i + 1]?.prevOwner ?? record.author }));
}

function isOpen(record: SignedRecord): boolean {
  const zone = zoneOf(record);
  return zone !== undefined && isOpenZone(zone);
}

function isChain(links: readonly TransferLink[], record: SignedRecord): boolean {
  const ascending = links.every((link, i) => link.newEpoch > (links[i - 1]?.newEpoch ?? 0));
  const owners = [...links.map(({ prevOwner }) => prevOwner), record.author];
  const changing = owners.every(
    (owner, i) => i === 0 || !equalBytes(owner, owners[i - 1] ?? owner),
  );
  return ascending && changing && links.at(-1)?.newEpoch === epochOf(record.seq);
}

function isSigned(handover: Handover, key: Bytes, network: Bytes): boolean {
  const { prevOwner: publicKey, signature } = handover;
  const message = signedByOwner(handover, { key, prevOwner: publicKey, network });
  return verifySignature({ publicKey, message, signature });
}

/**
 * The epoch at which `owner` signed the name over, if the record proves that he did, directly or
 * through owners in between, and shows it in time. Undefined otherwise.
 */
export function takesOverFrom(
  record: SignedRecord,
  owner: Bytes,
  network: Bytes,
): number | undefined {
  const chain = handovers(record);
  const from = chain.findLastIndex(({ prevOwner }) => equalBytes(prevOwner, owner));
  const needed = from < 0 ? [] : chain.slice(from);
  if (needed.length === 0 || equalBytes(record.author, owner)) return undefined;
  if (!isOpen(record) || !isChain(chain, record)) return undefined;
  const holds = needed.every(
    (handover) => record.issued <= handover.notAfter && isSigned(handover, record.key, network),
  );
  return holds ? needed[0]?.newEpoch : undefined;
}

/**
 * Which of two valid records of one name supersedes the other: positive for `a`, negative for `b`,
 * 0 where nothing decides and votes must, or for the same record. In a zone the highest serial
 * wins, then the order of records. In the open zone that order holds among one author's records;
 * among two authors, who proves to have the name from the other wins whatever the other signs
 * later, and where both prove it, the later handover counts.
 */
export function compareClaims(a: SignedRecord, b: SignedRecord, network: Bytes): number {
  if (a.kind !== b.kind || !equalBytes(a.key, b.key)) return 0;
  const zone = zoneOf(a);
  if (zone && !isOpenZone(zone)) return serialOf(a) - serialOf(b) || compareRecords(a, b);
  if (equalBytes(a.author, b.author)) return compareRecords(a, b);
  const byA = takesOverFrom(a, b.author, network) ?? -1;
  const byB = takesOverFrom(b, a.author, network) ?? -1;
  return byA - byB;
}
